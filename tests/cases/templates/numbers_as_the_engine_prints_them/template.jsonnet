(import 'lytemplates.libsonnet').get('numbers')
