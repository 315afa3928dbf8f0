local ly = import 'lytemplates.libsonnet';
'https://hooks.example.com/' + ly.segSlug() + '?id=' + ly.get('_id')
