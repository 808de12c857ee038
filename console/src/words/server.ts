// The server says why in English sentences with values, and keeps them with what they explain; here they are told apart and
// said in the reader's language. What no pattern knows is shown as it came. tests/shell/words.spec.ts reads the sentences out
// of the server's sources, so that a new one cannot stay English unnoticed.
import i18next from 'i18next';
import { channelName, purposeName } from '../customers/timeline';
import * as f from '../ui/format';
import { placeCalled, sourcingText } from './sourcing';

type Say = (m: string[]) => string;
const k = (key: string, ...names: string[]): Say => (m) => i18next.t(`said.${key}`, Object.fromEntries(names.map((n, i) => [n, m[i + 1] ?? ''])));
// Words of goods come with its pages, where alone these are said.
const g = (key: string, ...names: string[]): Say => (m) => i18next.t(`goods.${key}`, Object.fromEntries(names.map((n, i) => [n, m[i + 1] ?? ''])));
// And words of orders with theirs.
const o = (key: string, ...names: string[]): Say => (m) => i18next.t(`osaid.${key}`, Object.fromEntries(names.map((n, i) => [n, m[i + 1] ?? ''])));
// And words of returns with theirs.
const r = (key: string, ...names: string[]): Say => (m) => i18next.t(`rsaid.${key}`, Object.fromEntries(names.map((n, i) => [n, m[i + 1] ?? ''])));
const lawSource = (s: string) => (s === 'what the shop promises' ? i18next.t('rsaid.shopPromises') : s);
const num = (s: string) => (Number.isFinite(Number(s)) ? f.number(Number(s)) : s);
const day = (s: string) => (/^\d{4}-\d{2}-\d{2}/.test(s) ? f.date(`${s.slice(0, 10)}T12:00:00`) : s);
const when = (s: string) => (Number.isNaN(Date.parse(s)) ? s : f.exact(s));
const word = (s: string) => {
  const key = `word.${s.replaceAll(' ', '_')}`;
  return i18next.exists(key) ? i18next.t(key) : s;
};
const reasonOf = (s: string) => (i18next.exists(`reason.${s}`) ? i18next.t(`reason.${s}`) : word(s));
const capText = (s: string) => {
  const m = /^(\d+) of (\d+) \((\S+) (\S+)\) in (.+)$/.exec(s);
  return m ? i18next.t('said.cap', { used: num(m[1]!), limit: num(m[2]!), channel: channelName(m[3]!), purpose: purposeName(m[4]!), window: m[5]!.replace(/^(\d+)d$/, (_, n) => i18next.t('said.days', { n })).replace(/^(\d+)h$/, (_, n) => i18next.t('said.hours', { n })) }) : s;
};

const aboutText = (s: string) => {
  const [channel, topic] = s.split(' about ');
  return [channelName(channel!), topic].filter(Boolean).join(': ');
};

const patterns: [RegExp, Say][] = [
  [/^it is not the code of this order$/, o('notCode')],
  [/^nothing of it waits any more$/, o('nothingWaits')],
  [/^nothing of it is on the way$/, o('nothingSent')],
  [/^give the customer's code, or say how they were recognised$/, o('proof')],
  [/^a carrier's number has at most 100 bytes on one line$/, o('tracking')],
  [/^it brings goods to a shop: receive its transfer there$/, o('supply')],
  [/^it is not sent to the customer: hand it over, or ship its transfer$/, o('notSent')],
  [/^there is no such channel$/, o('noChannel')],
  [/^there is no way "?(.*?)"? to there$/, o('noWay', 'id')],
  [/^the order is in ([A-Z]{3})$/, o('currency', 'code')],
  [/^whoever works in more than three stores asks for the pick queue of each$/, o('manyStores')],
  // orders: promises, confirmation and what happened
  [/^it is there$/, o('onShelf')],
  [/^it is brought from (.+)$/, (m) => i18next.t('osaid.broughtFrom', { place: placeCalled(m[1]!) })],
  [/^brought from (.+)$/, (m) => i18next.t('osaid.broughtFrom', { place: placeCalled(m[1]!) })],
  [/^it is on order and expected at (.+)$/, (m) => i18next.t('osaid.onOrder', { time: when(m[1]!) })],
  [/^closed until (.+)$/, (m) => i18next.t('osaid.closedUntil', { time: when(m[1]!) })],
  [/^(switched off|the territory is closed|an air-raid alert|no power|curfew) until (about )?(.+)$/, (m) => i18next.t(`osaid.pause.${m[1]!.replaceAll(/[ -]/g, '_')}`, { time: m[2] ? i18next.t('osaid.about', { time: when(m[3]!) }) : when(m[3]!) })],
  [/^all hands are full until (.+)$/, (m) => i18next.t('osaid.busyUntil', { time: when(m[1]!) })],
  [/^the carrier leaves at (.+)$/, (m) => i18next.t('osaid.carrierAt', { time: when(m[1]!) })],
  [/^it is the last piece there$/, o('lastPiece')],
  [/^it comes in parts from (\d+) places$/, o('inParts', 'n')],
  [/^the customer fetches it there$/, o('fetches')],
  [/^no other place has it$/, o('noOther')],
  [/^it is paid$/, o('isPaid')],
  [/^the customer is known$/, o('known')],
  [/^nothing speaks against it$/, o('nothingAgainst')],
  [/^a new customer orders for more than goes on unasked$/, o('newCustomer')],
  [/^(\d+) orders of this customer were never collected$/, o('neverCollected', 'n')],
  // orders::after
  [/^it could be returned until (\S+): (.+)$/, (m) => i18next.t('rsaid.returnedUntil', { until: day(m[1]!), source: lawSource(m[2]!) })],
  [/^it could be complained of until (\S+): (.+)$/, (m) => i18next.t('rsaid.claimedUntil', { until: day(m[1]!), source: lawSource(m[2]!) })],
  [/^(.+) are not taken back unless they have a fault: (.+)$/, r('classNot', 'words', 'source')],
  [/^say why it is taken all the same: (.+)$/, (m) => i18next.t('rsaid.exceptionWhy', { why: said(m[1]) })],
  [/^the customer is told why$/, r('customerTold')],
  [/^some of it came back or was settled meanwhile$/, r('alreadyThere')],
  [/^the goods bring (\S+); not more is kept back$/, r('goodsBring', 'n')],
  [/^it is not sold now$/, r('instead')],
  [/^(?:the order|the return) has no such line$/, r('noLine')],
  [/^its money is on its way already$/, r('onItsWay')],
  [/^it was sold with order (\S+)$/, r('serialSold', 'order')],
  [/^no goods are taken in there$/, r('takeNone')],
  // messaging::gate
  [/^the rule does not exist any more$/, k('ruleGone')],
  [/^the rule "(.+)" was deleted$/, k('ruleDeleted', 'name')],
  [/^the rule "(.+)" is switched off$/, k('ruleOff', 'name')],
  [/^the rule "(.+)" is on \(version (\d+)\)$/, k('ruleOn', 'name', 'version')],
  [/^there is no such person any more$/, k('personGone')],
  [/^person (\d+) with (\d+) profiles$/, k('personOf', 'id', 'n')],
  [/^person (\d+)$/, k('person', 'id')],
  [/^is in segment (\d+) now$/, k('inSegment', 'id')],
  [/^is not in segment (\d+) any more$/, k('notInSegment', 'id')],
  [/^this rule reached the person already, with message (\d+)$/, k('onceBefore', 'id')],
  [/^this rule has not reached the person before$/, k('onceFirst')],
  [/^this rule may reach a person again$/, k('onceAgain')],
  [/^the person has no valid address on this channel$/, k('noAddress')],
  [/^the person unsubscribed from everything$/, k('unsubscribed')],
  [/^(\S+) for (\S+) is denied at (.+)$/, (m) => i18next.t('said.denied', { channel: channelName(m[1]!), purpose: purposeName(m[2]!), address: m[3] })],
  [/^(\S+) for (\S+) is granted at (.*)$/, (m) => i18next.t('said.granted', { channel: channelName(m[1]!), purpose: purposeName(m[2]!), address: m[3] })],
  [/^nobody agreed to (\S*) for (\S*) at (.+)$/, (m) => i18next.t('said.notAgreed', { channel: channelName(m[1]!), purpose: purposeName(m[2]!), address: m[3] === 'any address' ? i18next.t('said.anyAddress') : m[3] })],
  [/^service messages are not chosen$/, k('serviceNotChosen')],
  [/^the person does not want (.+) \(chose \S+ .* ?at (.+)\)$/, (m) => i18next.t('said.notWanted', { about: aboutText(m[1]!), when: when(m[2]!) })],
  [/^the person wants (.+)$/, (m) => i18next.t('said.wanted', { about: aboutText(m[1]!) })],
  [/^the person chose nothing about (.+)$/, (m) => i18next.t('said.nothingChosen', { about: aboutText(m[1]!) })],
  [/^the address is suppressed: (.+)$/, (m) => i18next.t('said.suppressed', { reason: reasonOf(m[1]!) })],
  [/^the address is not suppressed$/, k('notSuppressed')],
  [/^the address is not suppressed \(1 of (\d+) addresses\)$/, k('notSuppressedOf', 'n')],
  [/^no quiet hours are set$/, k('quietNone')],
  [/^service messages know no quiet hours$/, k('quietService')],
  [/^quiet hours in (.+) last until (.+)$/, (m) => i18next.t('said.quietUntil', { zone: m[1], until: when(m[2]!) })],
  [/^no quiet hours in (.+) now$/, k('quietNotNow', 'zone')],
  [/^(\d+ of \d+ \(.+\) in .+) already used$/, (m) => i18next.t('said.capFull', { caps: capText(m[1]!) })],
  [/^no cap applies$/, k('capNone')],
  [/^(\d+ of \d+ \(.+\) in .+) used$/, (m) => i18next.t('said.capUsed', { caps: m[1]!.split('; ').map(capText).join('; ') })],
  [/^the rule's template was deleted$/, k('templateGone')],
  [/^"(.+)" version (\d+) renders$/, k('renders', 'name', 'version')],
  // connect::oidc and server::oidc::check: what "try it" says of an identity provider
  [/^browsers come back over https$/, k('oidcHttps')],
  [/^browsers come back to this machine only; set http\.public_url for anybody else$/, k('oidcHere')],
  [/^browsers come back over plain http, which most providers refuse; set http\.public_url to an https address$/, k('oidcPlain')],
  [/^the address can be asked$/, k('oidcAddress')],
  [/^the provider says where its doors are$/, k('oidcDoors')],
  [/^keys that can be used: (\d+)$/, k('oidcKeys', 'n')],
  [/^the provider knows the client and its secret$/, k('oidcKnows')],
  [/^the provider does not take this client id with this secret$/, k('oidcWrongClient')],
  [/^whether the client id and the secret are right shows when somebody signs in$/, k('oidcLater')],
  [/^this is no address such as https:\/\/login\.example\.com$/, k('oidcNoAddress')],
  [/^a provider is asked over https; plain http is for this machine only$/, k('oidcOverHttps')],
  [/^an issuer has no password, no \? and no #$/, k('oidcParts')],
  [/^nothing that may be asked is at this address$/, k('oidcNothing')],
  [/^the provider calls itself (.*), not (.*); enter its name letter by letter$/, k('oidcCalls', 'found', 'wanted')],
  [/^the provider does not say (\S+)$/, k('oidcMissing', 'what')],
  [/^the provider's (\S+) is no address that may be asked: .*$/, k('oidcEndpoint', 'what')],
  [/^the provider has no (\S+) that Braid knows; it wants (.*)$/, k('oidcLacks', 'what', 'wanted')],
  [/^the provider did not answer within (\d+) seconds \((\S+)\)$/, k('oidcTimeout', 'n', 'at')],
  [/^the provider cannot be reached \((\S+)\): (.*)$/, k('oidcAway', 'at', 'why')],
  [/^the provider answered (\d+) \((\S+)\)(.*)$/, k('oidcStatus', 'status', 'at', 'error')],
  [/^the provider sends us elsewhere \((\S+)\); enter the issuer as the provider's own pages name it$/, k('oidcRedirect', 'at')],
  [/^the provider's answer is larger than (\d+) KiB \((\S+)\)$/, k('oidcLarge', 'n', 'at')],
  [/^the provider's answer cannot be read \((\S+)\)$/, k('oidcUnreadable', 'at')],
  [/^the provider's keys are no key set$/, k('oidcNoSet')],
  [/^the provider publishes no key for RS256 or ES256$/, k('oidcNoKey')],
  [/^the provider told of another person than the one who signed in$/, k('oidcOther')],
  [/^no client for the provider can be made$/, k('oidcClient')],
  // stock: what is refused, at its field
  [/^it is out of range$/, g('outOfRange')],
  [/^came$/, g('came')],
  [/^from another purchase order$/, g('otherPurchase')],
  [/^it will not come$/, g('willNotCome')],
  [/^it comes later$/, g('comesLater')],
  [/^it comes earlier$/, g('comesEarlier')],
  [/^nothing is sold from there$/, g('nothingSold')],
  [/^more has been sold ahead than this allows: /, g('soldAhead')],
  [/^an id is up to 100 bytes without spaces$/, g('idSpaces')],
  [/^an id is up to 100 bytes of letters, digits and/, g('idLetters')],
  [/^a supplier has a name of at most 200 bytes$/, g('supplierName')],
  [/^goods come within 0 to 730 days$/, g('leadDays')],
  [/^goods cannot be delivered there$/, g('noDelivery')],
  [/^name one to (\d+) lines$/, g('someLines', 'n')],
  [/^name one to (\d+) variants$/, g('someVariants', 'n')],
  [/^the quantity must be more than nothing$/, g('moreThanNothing')],
  [/^the cost is out of range$/, g('costRange')],
  [/^freight or note are out of range$/, g('freightRange')],
  [/^name a currency by three capital letters$/, g('currency')],
  [/^there is no such line$/, g('noLine')],
  [/^(\S+) are awaited$/, g('awaited', 'n')],
  [/^nothing came$/, g('nothingCame')],
  [/^goods are transferred between places that count them$/, g('countedPlaces')],
  [/^it goes to where it comes from$/, g('sameEnds')],
  [/^the note is too long$/, g('longNote')],
  [/^name each variant once$/, g('variantOnce')],
  [/^it has (\d+) lines$/, g('hasLines', 'n')],
  [/^nothing up to (\S+) can leave$/, g('upTo', 'n')],
  [/^nothing leaves: cancel it instead$/, g('nothingLeaves')],
  [/^its goods were sold meanwhile: nothing of it can leave$/, g('soldMeanwhile')],
  [/^name each line once$/, g('lineOnce')],
  [/^(\S+) are on the way$/, g('onTheWay', 'n')],
  [/^say why less came than left$/, g('sayWhy')],
  [/^at most (\d+) bytes are allowed$/, g('bytes', 'n')],
  [/^at most (\d+) bytes on one line are allowed$/, g('oneLine', 'n')],
  [/^it is on the way: say whether it goes back or is written off$/, g('sayRest')],
  [/^nothing is counted there$/, g('notCounted')],
  [/^from 0 to 1000 thousandths$/, g('permille')],
  [/^what is counted is nothing or more$/, g('countedNothing')],
  [/^it lies in the future$/, g('future')],
  [/^who counted it cannot approve it: ask somebody else$/, g('otherApproves')],
  [/^nothing can be reserved there$/, g('noReserve')],
  [/^say whose claim it is, in at most 200 bytes$/, g('whose')],
  [/^a hold lasts from 1 to (\d+) seconds$/, g('holdLasts', 'n')],
  [/^it does not end by itself$/, g('noEnd')],
  [/^(\S+) are claimed$/, g('claimed', 'n')],
  [/^line (\d+) claims (\S+), the parts are (\S+)$/, g('parts', 'at', 'n', 'wanted')],
  [/^each part must be more than nothing$/, g('partNothing')],
  [/^latitude goes from -90 to 90, longitude from -180 to 180$/, g('latitude')],
  [/^name a time zone such as Europe\/Kyiv$/, g('zone')],
  [/^every shop has this place, and it cannot be changed$/, g('everyShop')],
  [/^supplier, customer, loss and transit exist already$/, g('existAlready')],
  [/^a shop has at most (\d+) places$/, g('mostPlaces', 'n')],
  [/^a shop has at most (\d+) channels$/, g('mostChannels', 'n')],
  [/^a cart holds goods from 30 seconds to a day$/, g('cartHolds')],
  [/^what is kept back is nothing or more$/, g('keptBack')],
  [/^name at least one kind of place that sells$/, g('someKinds')],
  [/^there is no (?:place|location) "?([^"]+)"?$/, g('noPlace', 'id')],
  [/^there is no SKU "?([^"]+)"?$/, g('noSku', 'sku')],
  [/^there is no such supplier$/, g('noSupplier')],
  [/^it is empty$/, g('empty')],
  [/^a paper has from one to (\d+) lines$/, g('paperLines', 'n')],
  [/^lot or reason is too long$/, g('lotLong')],
  [/^nothing is counted at either place$/, g('neither')],
  [/^an id does not begin with #$/, g('noHash')],
  [/^give both lat and lon, in degrees, or neither$/, g('bothDegrees')],
  [/^it belongs to an order or a transfer: cancel that$/, g('firm')],
  [/^of (\S+) at (\S+) (\S+) are wanted and (\S+) available(?:; .*)?$/, g('shortAt', 'sku', 'place', 'wanted', 'available')],
  [/^of (\S+) (\S+) are wanted and (\S+) available(?:; .*)?$/, g('short', 'sku', 'wanted', 'available')],
  [/^(?:transfer|purchase order|count|line) \S+ is (\w+) and cannot .+$/, (m) => i18next.t('goods.wrong', { state: i18next.t(`goods.state.${m[1]}`) })],
  [/^reservation \d+ has ended: (\w+)$/, (m) => i18next.t('goods.ended', { why: i18next.t(`goods.why.${m[1]}`) })],
  [/^\w[\w ]* "?.+?"? was changed meanwhile: read it again$/, g('changed')],
  // customers::derived
  [/^no order yet$/, k('noOrder')],
  [/^fewer than two orders at different times$/, k('fewOrders')],
  [/^(\d+) orders with a mean of (\S+) days between them$/, (m) => i18next.t('said.meanDays', { n: num(m[1]!), days: num(m[2]!) })],
  [/^(\d+) orders, the last (\S+) days ago; at risk after (\S+), lapsed after (\S+) days of the customer's own rhythm$/, (m) => i18next.t('said.stageOwn', { n: num(m[1]!), passed: num(m[2]!), risk: num(m[3]!), gone: num(m[4]!) })],
  [/^(\d+) orders, the last (\S+) days ago; at risk after (\S+), lapsed after (\S+) days of the shop's settings$/, (m) => i18next.t('said.stageShop', { n: num(m[1]!), passed: num(m[2]!), risk: num(m[3]!), gone: num(m[4]!) })],
  [/^the customer chose it$/, k('chosen')],
  [/^(\d+) acts there weigh (\S+) % of all \((\S+) of (\S+)\)$/, (m) => i18next.t('said.weigh', { n: num(m[1]!), share: m[2] })],
  [/^(\d+) acts on it, with a weight of (\S+)$/, (m) => i18next.t('said.actsOn', { n: num(m[1]!) })],
  [/^fewer than (\d+) acts in any one$/, k('fewerInAny', 'n')],
  [/^fewer than (\d+) acts$/, k('fewerActs', 'n')],
  [/^(\d+) of (\d+) acts in this hour$/, (m) => i18next.t('said.thisHour', { n: num(m[1]!), all: num(m[2]!) })],
  [/^(\d+) of (\d+) acts on this day$/, (m) => i18next.t('said.thisDay', { n: num(m[1]!), all: num(m[2]!) })],
  [/^no searches and orders on known devices$/, k('noDevices')],
  [/^no (orders|searches and looks|searches) on a known device$/, k('noOnDevice')],
  [/^(\d+) (orders|searches and looks|searches) on it$/, (m) => i18next.t('said.onIt', { n: num(m[1]!) })],
  [/^(\d+) searches and looks on (\S+), (\d+) orders on (\S+)$/, (m) => i18next.t('said.crossDevice', { looked: num(m[1]!), on: word(m[2]!), bought: num(m[3]!), buys: word(m[4]!) })],
  [/^(\d+) sent, no answer: fewer than (\d+) say nothing$/, (m) => i18next.t('said.fewSent', { n: num(m[1]!), least: num(m[2]!) })],
  [/^(\d+) sent: fewer than (\d+) say nothing$/, (m) => i18next.t('said.fewSent', { n: num(m[1]!), least: num(m[2]!) })],
  [/^(\d+) sent, (\d+) opened, (\d+) answered, (\d+) times switched off$/, (m) => i18next.t('said.channelHabit', { sent: num(m[1]!), opened: num(m[2]!), answered: num(m[3]!), off: num(m[4]!) })],
  [/^(\d+) looks in the app, (\d+) orders, (\d+) of (\d+) pushes tapped$/, (m) => i18next.t('said.appLooks', { looks: num(m[1]!), orders: num(m[2]!), tapped: num(m[3]!), sent: num(m[4]!) })],
  [/^the app was removed on (.+)$/, (m) => i18next.t('said.appRemoved', { when: when(m[1]!) })],
  [/^(\d+) acts in the app$/, (m) => i18next.t('said.appActs', { n: num(m[1]!) })],
  [/^no consent to marketing$/, k('noConsent')],
  [/^agreed by (.+)$/, (m) => i18next.t('said.agreedBy', { channels: m[1]!.split(', ').map(channelName).join(', ') })],
  [/^no order in the shop's currency$/, k('noOrderHere')],
  [/^fewer than 3 orders$/, k('fewerThan3')],
  [/^(\d+) orders, one every (\S+) days$/, (m) => i18next.t('said.oneEvery', { n: num(m[1]!), days: num(m[2]!) })],
  [/^(\d+) orders$/, (m) => i18next.t('said.orders', { n: num(m[1]!) })],
  [/^the shop has not said what an hour of service costs \(service_hour_minor\)$/, k('noServiceCost')],
  [/^income of (\d+) orders less the cost of service$/, (m) => i18next.t('said.netOf', { n: num(m[1]!) })],
  [/^(\d+) (.+) in the last (\d+) days$/, (m) => i18next.t('said.inDays', { n: num(m[1]!), what: thing(m[2]!), days: num(m[3]!) })],
  [/^(\d+) ([a-z][a-z ]+)$/, (m) => (i18next.exists(thingKey(m[2]!)) ? i18next.t('said.count', { n: num(m[1]!), what: thing(m[2]!) }) : m[0]!)],
];
const thingKey = (s: string) => `thing.${s.replaceAll(' ', '_').replaceAll("'", '’')}`;
const thing = (s: string) => (i18next.exists(thingKey(s)) ? i18next.t(thingKey(s)) : s);

/** Whether a sentence of the server is known by its pattern. */
export const isKnown = (text: string): boolean => sourcingText(text) !== null || patterns.some(([p]) => p.test(text));

/** A sentence of the server in the reader's language. */
export function said(text: string | null | undefined): string {
  if (!text) return '';
  // Places are called by name in English, too.
  const sourced = sourcingText(text);
  if (sourced !== null) return sourced;
  if (i18next.language === 'en') return text;
  for (const [pattern, say] of patterns) {
    const m = pattern.exec(text);
    if (m) return say([...m]);
  }
  return text;
}

/** What speaks for two being one: `phone: the same; surname: one typing mistake apart, and rare`. */
export function evidenceText(text: string | null | undefined): string {
  if (!text || i18next.language === 'en') return text ?? '';
  const parts = text.split(/;\s*/).map((part) => {
    const m = /^([^:]+): (.+?)(, and rare|, but common)?$/.exec(part.trim());
    if (!m) return said(part);
    const field = `evidence.field.${m[1]!.replaceAll(' ', '_')}`;
    const level = `evidence.level.${plain(m[2]!)}`;
    if (!i18next.exists(field)) return part;
    return `${i18next.t(field)}: ${i18next.exists(level) ? i18next.t(level) : m[2]}${m[3] === ', and rare' ? `, ${i18next.t('evidence.rare')}` : m[3] ? `, ${i18next.t('evidence.common')}` : ''}`;
  });
  return parts.join('; ');
}
export const plain = (s: string): string => s.replace(/[^A-Za-z]+/g, '-').replace(/^-|-$/g, '').toLowerCase();
