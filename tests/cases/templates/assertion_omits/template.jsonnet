local ly = import 'lytemplates.libsonnet';
assert ly.has('email') : 'no email, nothing to send';
{ email: ly.get('email') }
