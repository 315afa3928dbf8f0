local ly = import 'lytemplates.libsonnet';
{
  spaced: ly.toPhoneE164('+49 (30) 1234-567'),
  without_country: ly.toPhoneE164('030 1234567'),
  too_short: ly.toPhoneE164('+49'),
  empty: ly.toPhoneE164(''),
}
