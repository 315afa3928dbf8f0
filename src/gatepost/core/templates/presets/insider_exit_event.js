// Insider, on exit, second of two requests: POST https://unification.useinsider.com/api/user/v1/upsert
// Records the crossing; attribute/delete takes no events.
function template(data) {
  const crossing = segEvents(data)[0];
  if (crossing.event !== "exit") throw new Error(`insider_exit_event is for exits; this trigger is: ${crossing.event}`);

  // What is undefined is left out of the message.
  const text = (field) => {
    const value = getFirstField(field, null, data);
    return typeof value === "string" && value !== "" ? value : undefined;
  };

  return {
    users: [
      {
        identifiers: { email: text("email"), custom: { lytics_id: text("_id") } },
        events: [
          {
            event_name: "lytics_trigger",
            timestamp: crossing.exit,
            event_params: {
              custom: { id: crossing.id, audience: crossing.slug, trigger: crossing.event, origin: "Lytics" },
            },
          },
        ],
      },
    ],
  };
}
