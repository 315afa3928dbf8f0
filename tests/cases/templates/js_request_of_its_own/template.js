function template(data) {
  return {
    ly_template_url: `https://hooks.example.com/${data.user_id}`,
    ly_template_headers: "X-Source: gatepost",
    ly_template_body: { email: data.email },
  };
}
