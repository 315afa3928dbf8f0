function template(data) {
  if (!data.nickname) {
    throw new Error(`no nickname for ${data.user_id}`);
  }
}
