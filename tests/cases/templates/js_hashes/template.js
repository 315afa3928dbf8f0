function template(data) {
  return {
    sha256: sha256(data.email),
    sha1: sha1(data.email),
    text: sha256("ü\u0000\ud83d\ude00"),
    number: sha256(12),
    yes: sha1(true),
    list: sha1([1, "a"]),
    hmac: [hmacSha256("message", "key"), hmacSHA256("message", "key")],
    valid: [isValidSha256(sha256("")), isValidSha1(sha1("")), isValidSha256(sha1("")), isValidSha1("A".repeat(40)), isValidSha1(7)],
  };
}
