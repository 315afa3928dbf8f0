local ly = import 'lytemplates.libsonnet';
{
  sha256: ly.sha256('grüße'),
  sha1: ly.sha1('grüße'),
  of_a_number: ly.sha256(42) == ly.sha256('42'),
  of_an_object: ly.sha256({ b: [1, true], a: null }),
  hmac: ly.hmacSha256('message', 'key'),
  hmac_alias: ly.hmacSHA256('message', 'key') == ly.hmacSha256('message', 'key'),
  valid: [ly.isValidSha256(ly.sha256('x')), ly.isValidSha1(ly.sha1('x'))],
  upper_case_is_not: ly.isValidSha256(std.asciiUpper(ly.sha256('x'))),
  other_length_is_not: ly.isValidSha256(ly.sha1('x')),
  number_is_not: ly.isValidSha1(1),
}
