// Functions within functions, objects that extend objects, a recursion.
local ly = import 'lytemplates.libsonnet';
local compose(f, g) = function(x) f(g(x));
local twice(f) = compose(f, f);
local plus(n) = function(x) x + n;
local depth(tree) = if std.length(tree.below) == 0 then 1 else 1 + std.foldl(std.max, [depth(t) for t in tree.below], 0);
local tree(n) = { name: 'n' + n, below: if n == 0 then [] else [tree(n - 1), tree(0)] };
local Message = { kind:: 'message', title: 'A ' + self.kind, body(name):: 'Dear ' + name + ', ' + self.title };
local Offer = Message { kind: 'offer', title: super.title + '!' };

{
  numbers: std.map(twice(twice(plus(3))), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]),
  depth: depth(tree(8)),
  messages: [(Offer { kind: 'offer no. ' + n }).body(ly.get('first_name', 'you')) for n in std.range(1, 20)],
}
