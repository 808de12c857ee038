// Many customers at once: a trait set, a list joined or left, rows of a spreadsheet taken over. Looked at first, undone as a whole.
import { Button, Modal, NativeSelect, SegmentedControl, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type ReactNode, useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, must } from '../api/client';
import { useRight } from '../session/rights';
import { listTrait, segmentsQuery } from '../segments/query';
import { ErrorNote, Skeleton } from '../ui/base';
import * as f from '../ui/format';
import { ChangeList } from '../ui/tables/Changes';
import { type Pasted, PasteDialog, type PasteField } from '../ui/tables/PasteDialog';
import type { EditRow } from '../ui/tables/query';
import { useUndoEdit } from '../ui/tables/RecentChanges';
import { meaning, plain } from '../ui/tables/tsv';
import { say } from '../ui/toast';
import { identifierName } from './timeline';
import { traitName } from './traits';

/** What the server takes at once; more comes as an import. */
export const MOST = 1000;
type Value = string | number | boolean | null;

const letters: Record<string, string> = { а: 'a', б: 'b', в: 'v', г: 'h', ґ: 'g', д: 'd', е: 'e', є: 'ie', ж: 'zh', з: 'z', и: 'y', і: 'i', ї: 'i', й: 'i', к: 'k', л: 'l', м: 'm', н: 'n', о: 'o', п: 'p', р: 'r', с: 's', т: 't', у: 'u', ф: 'f', х: 'kh', ц: 'ts', ч: 'ch', ш: 'sh', щ: 'shch', ю: 'iu', я: 'ia' };
/** The trait of a new list: readable, and told apart from others of the same name by its end. */
export function newListTrait(name: string, moment: number): string {
  const slug = [...name.toLocaleLowerCase('uk')].map((c) => letters[c] ?? (/[a-z0-9]/.test(c) ? c : /\s|[-_]/.test(c) ? '_' : '')).join('').replace(/_+/g, '_').replace(/^_|_$/g, '').slice(0, 32);
  return `list_${slug || 'x'}_${moment.toString(36).slice(-5)}`;
}

/** Preview, apply, undo: the same for every way to change many. */
function Act({ title, rows, rowText, close, children, before }: { title: string; rows: EditRow[]; rowText?: (row: number) => string; close: () => void; children?: ReactNode; before?: () => Promise<void> }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const undo = useUndoEdit();
  const body = useMemo(() => ({ title, rows }), [title, rows]);
  const [asked] = useDebouncedValue(body, 250);
  const preview = useQuery({
    queryKey: ['bulk-preview', asked],
    queryFn: () => must(api.POST('/api/v1/bulk-edits/preview', { body: asked as never })),
    enabled: asked.rows.length > 0 && asked.title.trim() !== '',
    placeholderData: keepPreviousData,
    staleTime: 0,
    gcTime: 0,
    retry: false,
  });
  const apply = useMutation({
    mutationFn: async () => {
      await before?.();
      return must(api.POST('/api/v1/bulk-edits', { body: body as never }));
    },
    onSuccess: (done) => {
      close();
      for (const key of ['bulk-edits', 'customers', 'person', 'segments', 'segment-members']) void client.invalidateQueries({ queryKey: [key] });
      say(t('edits.done', { count: done.changed, n: f.number(done.changed), title: done.title }), () => undo.mutate(done.id));
    },
  });
  const ready = preview.data && asked === body && !preview.isFetching;
  return (
    <>
      {preview.error ? <ErrorNote error={preview.error} retry={() => void preview.refetch()} /> : rows.length > 0 && !preview.data ? <Skeleton rows={3} height={32} /> : preview.data && <ChangeList preview={preview.data} rowText={rowText} traitName={traitName} />}
      {children}
      {apply.error && <ErrorNote error={apply.error} kept={t('error.formKept')} />}
      <div className="form-actions">
        <Button disabled={!ready || preview.data!.changed === 0} loading={apply.isPending} onClick={() => apply.mutate()} data-testid="edit-apply">
          {preview.data?.changed ? t('edits.apply', { count: preview.data.changed, n: f.number(preview.data.changed) }) : t('edits.applyNone')}
        </Button>
        <Button variant="subtle" onClick={close}>{t('cancel')}</Button>
      </div>
    </>
  );
}

export function SetTrait({ people, close }: { people: string[]; close: () => void }) {
  const { t } = useTranslation();
  const [name, setName] = useState('');
  const [kind, setKind] = useState<'text' | 'number' | 'bool' | 'remove'>('text');
  const [text, setText] = useState('');
  const [yes, setYes] = useState(true);
  const number = meaning(text);
  const value: Value | undefined = kind === 'remove' ? null : kind === 'bool' ? yes : kind === 'number' ? (typeof number === 'number' ? number : undefined) : text.trim() || undefined;
  const trait = name.trim();
  const rows = useMemo<EditRow[]>(() => (trait && value !== undefined ? people.map((id) => ({ person_id: id, traits: { [trait]: value } })) : []), [people, trait, value]);
  const shown = kind === 'remove' ? t('edits.removed') : kind === 'bool' ? t(yes ? 'yes' : 'no') : text.trim();
  return (
    <Modal opened onClose={close} title={t('edits.setTitle', { count: people.length, n: f.number(people.length) })} size={640} closeButtonProps={{ 'aria-label': t('close') }}>
      <div className="col g16">
        <div className="row g12" style={{ alignItems: 'flex-start' }}>
          <TextInput data-autofocus className="sp" label={t('edits.trait')} placeholder="tier" value={name} onChange={(e) => setName(e.currentTarget.value)} list="known-traits" data-testid="trait-name" />
          <NativeSelect label={t('edits.kind')} value={kind} onChange={(e) => setKind(e.currentTarget.value as typeof kind)} data={[{ value: 'text', label: t('edits.text') }, { value: 'number', label: t('edits.number') }, { value: 'bool', label: t('edits.bool') }, { value: 'remove', label: t('edits.remove') }]} data-testid="trait-kind" />
        </div>
        <datalist id="known-traits">{['city', 'tier', 'favourite_shop', 'birthday', 'gender', 'language', 'manager'].map((n) => <option key={n} value={n}>{traitName(n)}</option>)}</datalist>
        {(kind === 'text' || kind === 'number') && <TextInput label={t('edits.value')} inputMode={kind === 'number' ? 'decimal' : undefined} value={text} onChange={(e) => setText(e.currentTarget.value)} error={kind === 'number' && text.trim() !== '' && typeof number !== 'number' ? t('edits.noNumber') : undefined} data-testid="trait-value" />}
        {kind === 'bool' && <SegmentedControl aria-label={t('edits.value')} value={yes ? 'yes' : 'no'} onChange={(v) => setYes(v === 'yes')} data={[{ value: 'yes', label: t('yes') }, { value: 'no', label: t('no') }]} />}
        <Act title={`${trait || '…'}: ${shown || '…'}`} rows={rows} close={close} />
      </div>
    </Modal>
  );
}

export function ChangeLists({ people, leave, close }: { people: string[]; leave?: boolean; close: () => void }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const mayMake = useRight('segments:write') && !leave;
  const segments = useQuery(segmentsQuery);
  const lists = useMemo(() => (segments.data ?? []).filter((s) => listTrait(s)), [segments.data]);
  const [id, setId] = useState('');
  const [name, setName] = useState('');
  const made = useMemo(() => newListTrait(name, Date.now()), [name]);
  const list = lists.find((s) => s.id === id);
  const trait = list ? listTrait(list) : id === 'new' && name.trim() ? made : null;
  const rows = useMemo<EditRow[]>(() => (trait ? people.map((p) => ({ person_id: p, traits: { [trait]: leave ? null : true } })) : []), [people, trait, leave]);
  const title = list?.name ?? name.trim();
  return (
    <Modal opened onClose={close} title={leave ? t('lists.leaveTitle', { count: people.length, n: f.number(people.length) }) : t('lists.joinTitle', { count: people.length, n: f.number(people.length) })} size={640} closeButtonProps={{ 'aria-label': t('close') }}>
      <div className="col g16">
        {lists.length === 0 && !mayMake ? (
          <p className="m2">{t('lists.none')}</p>
        ) : (
          <NativeSelect
            data-autofocus
            label={t('lists.which')}
            value={id}
            onChange={(e) => setId(e.currentTarget.value)}
            data={[{ value: '', label: t('lists.choose') }, ...lists.map((s) => ({ value: s.id, label: `${s.name} (${f.number(s.count)})` })), ...(mayMake ? [{ value: 'new', label: t('lists.new') }] : [])]}
            data-testid="list-choose"
          />
        )}
        {id === 'new' && <TextInput label={t('lists.name')} description={t('lists.text')} inputWrapperOrder={['label', 'input', 'description']} value={name} onChange={(e) => setName(e.currentTarget.value)} data-testid="list-name" />}
        <Act
          title={trait ? t(leave ? 'lists.leaveEdit' : 'lists.joinEdit', { name: title }) : ''}
          rows={rows}
          close={close}
          before={async () => {
            if (id !== 'new') return;
            await must(api.POST('/api/v1/segments', { body: { name: name.trim(), expression: `trait.${made} = true` } }));
            void client.invalidateQueries({ queryKey: ['segments'] });
          }}
        />
      </div>
    </Modal>
  );
}

const IDS = ['person_id', 'phone', 'email', 'user_id', 'loyalty_card'] as const;

/** Rows of a spreadsheet: one column says who, the others are traits. */
export function PasteCustomers({ opened, start, close }: { opened: boolean; start?: string; close: () => void }) {
  const { t } = useTranslation();
  const fields = useMemo<PasteField[]>(
    () => [
      { id: 'person_id', name: t('paste.personId'), also: ['id', 'ід', '№'] },
      { id: 'phone', name: identifierName('phone'), also: ['phone', 'телефон', 'тел', 'номер телефону', 'мобільний', 'phone number'] },
      { id: 'email', name: identifierName('email'), also: ['email', 'e-mail', 'пошта', 'імейл', 'ел пошта', 'електронна пошта'] },
      { id: 'user_id', name: identifierName('user_id'), also: ['user id', 'код клієнта', 'client id'] },
      { id: 'loyalty_card', name: identifierName('loyalty_card'), also: ['card', 'картка', 'номер картки', 'карта лояльності'] },
      { id: 'trait:city', name: traitName('city'), also: ['city', 'місто'] },
      { id: 'trait:birthday', name: traitName('birthday'), also: ['birthday', 'день народження', 'дата народження'] },
    ],
    [t],
  );
  const own = (h: string): PasteField | null => {
    const word = plain(h);
    if (!word || fields.some((x) => [x.id, x.name, ...(x.also ?? [])].some((n) => plain(n) === word))) return null;
    const id = h.trim().slice(0, 64);
    return { id: `trait:${id}`, name: t('paste.trait', { name: traitName(id) }), also: [h] };
  };
  return (
    <PasteDialog opened={opened} close={close} start={start} title={t('paste.customers')} help={<p>{t('paste.customersHelp')}</p>} fields={fields} own={own} most={MOST}>
      {(pasted) => <Rows pasted={pasted} close={close} />}
    </PasteDialog>
  );
}

export function rowsOf({ fields, rows }: Pick<Pasted, 'fields' | 'rows'>): { rows: EditRow[]; from: number[] } {
  const who = IDS.find((id) => fields.includes(id));
  const traits = fields.flatMap((x, at) => (x?.startsWith('trait:') ? [{ name: x.slice(6), at }] : []));
  const out: EditRow[] = [];
  const from: number[] = [];
  if (!who || traits.length === 0) return { rows: out, from };
  rows.forEach((r, line) => {
    const value = r[fields.indexOf(who)]?.trim() ?? '';
    if (!value) return;
    const set = Object.fromEntries(traits.map(({ name, at }) => [name, meaning(r[at] ?? '')]));
    const numeric = /^\d{1,18}$/.test(value);
    out.push(who === 'person_id' && numeric ? { person_id: value, traits: set } : { identifier: { kind: who === 'person_id' ? 'user_id' : who, value }, traits: set });
    from.push(line);
  });
  return { rows: out, from };
}

function Rows({ pasted, close }: { pasted: Pasted; close: () => void }) {
  const { t } = useTranslation();
  const mayImport = useRight('imports:write');
  const { rows, from } = useMemo(() => rowsOf(pasted), [pasted]);
  const who = pasted.fields.findIndex((x) => x && (IDS as readonly string[]).includes(x));
  if (who < 0) return <p className="warn-text" role="status">{t('paste.noWho')}</p>;
  if (!pasted.fields.some((x) => x?.startsWith('trait:'))) return <p className="warn-text" role="status">{t('paste.noTrait')}</p>;
  const names = pasted.fields.flatMap((x) => (x?.startsWith('trait:') ? [traitName(x.slice(6))] : []));
  return (
    <Act title={t('paste.edit', { names: f.list(names) })} rows={rows} rowText={(row) => pasted.rows[from[row]!]?.[who] ?? ''} close={close}>
      {mayImport && <p className="t12 m2">{t('paste.newOnes')} <Link to="/imports/new" search={{}}>{t('paste.toImport')}</Link></p>}
    </Act>
  );
}
