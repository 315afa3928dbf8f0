// A basket of two hundred lines, filtered, priced and summed.
local ly = import 'lytemplates.libsonnet';
local lines = [{ sku: 'sku-' + n, price: n % 17 + 0.5, count: n % 3 } for n in std.range(1, 200)];
local bought = [line for line in lines if line.count > 0];

{
  email: ly.get('email'),
  total: std.foldl(function(sum, line) sum + line.price * line.count, bought, 0),
  lines: [line { amount: line.price * line.count } for line in bought],
  by_sku: { [line.sku]: line.count for line in bought },
}
