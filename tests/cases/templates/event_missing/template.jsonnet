local event = (import 'lytemplates.libsonnet').get('segment_events', '')[0];
{ at: event.enter }
