function template(data) {
  return [
    toPhoneE164("(415) 555-2671"),
    toPhoneE164("020 7946 0958", "gb"),
    toPhoneE164("+49 30 901820"),
    toPhoneE164("12", "US"),
    toPhoneE164("no number"),
    toPhoneE164(null),
    toPhoneE164(4155552671),
    toPhoneE164("030 901820", "nowhere"),
  ];
}
