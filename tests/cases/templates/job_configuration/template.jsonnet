local ly = import 'lytemplates.libsonnet';
{
  given: ly.jobConfGet('region'),
  absent: ly.jobConfGet('zone'),
  absent_with_default: ly.jobConfGet('zone', 'a'),
  field_named_in_config: ly.profileFieldFromConfig('id_field'),
  field_named_but_absent: ly.profileFieldFromConfig('name_field', 'nobody'),
  no_such_config: ly.profileFieldFromConfig('phone_field', 'none'),
  first_of_named: ly.firstProfileFieldFromConfig('list_field'),
  hashed: ly.hashedProfileFieldFromConfig('id_field'),
  hashed_already: ly.hashedProfileFieldFromConfig('hash_field'),
  hashed_nothing: ly.hashedProfileFieldFromConfig('phone_field'),
  enum_allowed: ly.validatedEnum('mode', ['add', 'remove'], 'add'),
  enum_refused: ly.validatedEnum('region', ['us'], 'us'),
  enum_of_value: [ly.enum('a', ['a', 'b'], 'b'), ly.enum('c', ['a', 'b'], 'b')],
}
