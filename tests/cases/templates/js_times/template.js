function template(data) {
  return [
    unixTimestampDateTime("2026-03-01T09:30:00.123456789Z"),
    unixTimestampDateTime("2026-03-01T09:30:00+02:00"),
    unixTimestampDateTime("2026-03-01"),
    unixTimestampDateTime("2026-03-01 09:30:00"),
    unixTimestampDateTime("March 1, 2026", "Europe/Berlin"),
    unixTimestampDateTime("someday"),
    unixTimestamp() > 1700000000 && Number.isInteger(unixTimestamp()),
  ];
}
