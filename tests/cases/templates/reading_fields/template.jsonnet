local ly = import 'lytemplates.libsonnet';
{
  given: ly.get('first_name'),
  absent: ly.get('last_name'),
  absent_with_default: ly.get('last_name', 'unknown'),
  null_is_a_value: ly.get('city', 'unknown'),
  has_null: ly.has('city'),
  has_absent: ly.has('last_name'),
  has_in_another_object: ly.has('size', { size: 1 }),
  from_another_object: ly.get('size', null, { size: 41 }),
  false_stays_false: ly.get('newsletter', true),
  first_of_list: ly.getFirstField('emails'),
  first_of_plain: ly.getFirstField('first_name'),
  first_of_empty: ly.getFirstField('phones', 'none'),
  in_map: ly.getMap('visits', 'web'),
  not_in_map: ly.getMap('visits', 'app', 0),
  not_a_map: ly.getMap('first_name', 'web', 0),
  not_null: [ly.notNull(null, 'instead'), ly.notNull('kept', 'instead')],
}
