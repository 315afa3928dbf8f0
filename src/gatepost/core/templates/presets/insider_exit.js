// Insider, on exit, first of two requests: POST https://unification.useinsider.com/api/user/v1/attribute/delete
// Takes the audience just left off the user's list; the others stay.
function template(data) {
  const crossing = segEvents(data)[0];
  if (crossing.event !== "exit") throw new Error(`insider_exit is for exits; this trigger is: ${crossing.event}`);

  // What is undefined is left out of the message.
  const text = (field) => {
    const value = getFirstField(field, null, data);
    return typeof value === "string" && value !== "" ? value : undefined;
  };

  return {
    users: [
      {
        identifiers: { email: text("email"), custom: { lytics_id: text("_id") } },
        custom: { partial: { lytics_computed_attr: [crossing.slug] } },
      },
    ],
  };
}
