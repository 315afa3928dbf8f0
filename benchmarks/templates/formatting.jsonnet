// Texts put together, formatted, split and joined.
local ly = import 'lytemplates.libsonnet';
local words = std.split('the quick brown fox jumps over the lazy dog', ' ');

{
  greeting: 'Dear %s %s, you are %d' % [ly.get('first_name', ''), ly.get('last_name', ''), ly.get('age', 0)],
  rows: ['%03d | %-12s | %8.2f | %x' % [n, words[n % 9], n / 7, n] for n in std.range(1, 40)],
  named: ['%(word)s is %(size)d long' % { word: word, size: std.length(word) } for word in words],
  titles: std.join(' ', [std.asciiUpper(word[0]) + word[1:] for word in words]),
  slug: std.strReplace(std.asciiLower(ly.get('email', '')), '@', '-at-'),
}
