// Alerts and standing still in the stand-in: Kyiv has an alert, Sykhiv is switched off by hand, the feed is alive.
export function standing({ NOW, ago }) {
  const later = (min) => new Date(NOW + min * 60_000).toISOString();
  const world = {};
  const reset = () => {
    world.has_key = true;
    world.lviv = false;
    world.error = null;
    world.failures = 0;
  };
  reset();
  /** Lists that settings begin with. */
  const lists = () => ({
    switched_off: [{ location: 'Lviv-2', from: ago(95), until: later(145), why: 'прорвало трубу' }, { location: 'Kyiv-1', from: ago(60 * 60), until: ago(60 * 50), why: 'облік' }],
    blackouts: [{ queue: '3.2', from: later(120), until: later(360) }],
    closures: [],
    curfews: [{ territory: '27', from: '00:00', until: '05:00' }],
    alerts: { feed: 'alerts_in_ua', address: '', every_seconds: 30, stale_minutes: 20, usual_minutes: 60, resume_minutes: 5 },
  });
  const answer = (settings) => {
    const { feed } = settings.alerts;
    const off = feed === 'off';
    const items = off ? [] : [
      { territory: '31', began_at: ago(22), confirmed_at: ago(0), ended_at: null, goes_on: true, locations: ['Kyiv-1'] },
      { territory: '18', began_at: ago(40), confirmed_at: ago(0), ended_at: null, goes_on: true, locations: [] },
      { territory: '27', began_at: ago(world.lviv ? 6 : 400), confirmed_at: ago(world.lviv ? 0 : 352), ended_at: world.lviv ? null : ago(351), goes_on: world.lviv, locations: ['Lviv-1'] },
    ];
    const paused = settings.switched_off.filter((e) => Date.parse(e.from) <= NOW && (!e.until || Date.parse(e.until) > NOW)).map((e) => ({ location_id: e.location, kind: 'hand', from: e.from, until: e.until ?? null, assumed: !e.until }));
    if (!off) paused.push({ location_id: 'Kyiv-1', kind: 'alert', from: ago(22), until: later(38), assumed: true });
    if (!off && world.lviv) paused.push({ location_id: 'Lviv-1', kind: 'alert', from: ago(6), until: later(54), assumed: true });
    return { feed, has_key: world.has_key && !off, state: off ? 'off' : !world.has_key ? 'no_key' : world.error ? 'silent' : 'alive', asked_at: off ? null : ago(0), answered_at: off ? null : ago(world.error ? 9 : 0), age_seconds: off ? null : world.error ? 540 : 12, failures: world.failures, error: world.error, items, paused };
  };
  /** What a change of the settings is refused for. */
  const refuse = (s) => {
    const at = s.blackouts.findIndex((b) => !/^\d\.\d$/.test(b.queue));
    if (at >= 0) return [`/blackouts/${at}/queue`, 'a queue is a number such as 3.2'];
    const bad = Object.entries(s.places).find(([, p]) => (p.territories ?? []).some((x) => !/^\d+$/.test(x)));
    return bad ? [`/places/${bad[0]}/territories`, 'a territory is a number of the feed'] : null;
  };
  return { world, reset, lists, answer, refuse };
}
