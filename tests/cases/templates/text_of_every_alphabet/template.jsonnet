{ [(import 'lytemplates.libsonnet').get('name')]: 'tab\there, quote\", \u0001' }
