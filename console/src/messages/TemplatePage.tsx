// Decision served: does this text say what I mean to a real person?
import { SegmentedControl, Select, Textarea, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, must } from '../api/client';
import { Problem } from '../api/problem';
import type { Template } from '../api/types';
import { nameOf } from '../customers/CustomersPage';
import { ActButton } from '../session/Guarded';
import { ErrorNote, InlineError, PageHeader, Panel, Skeleton, Badge } from '../ui/base';
import * as f from '../ui/format';
import { IconAlertTriangle } from '../ui/icons';
import { useTitle } from '../ui/Shell';
import { say } from '../ui/toast';

const route = getRouteApi('/templates/$id');

export default function TemplatePage() {
  const { id } = route.useParams();
  const template = useQuery({ queryKey: ['template', id], queryFn: () => must(api.GET('/api/v1/templates/{id}', { params: { path: { id } } })), enabled: id !== 'new' });
  if (id !== 'new' && !template.data)
    return <div className="page">{template.error ? <ErrorNote error={template.error} retry={() => void template.refetch()} /> : <div className="card"><Skeleton rows={8} /></div>}</div>;
  return <Editor key={id} template={template.data ?? null} />;
}

function Editor({ template }: { template: Template | null }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const navigate = useNavigate();
  useTitle(template?.name ?? t('action.newTemplate'));
  const [name, setName] = useState(template?.name ?? '');
  const [subject, setSubject] = useState(template?.subject ?? '');
  const [html, setHtml] = useState(template?.body_html ?? '');
  const [text, setText] = useState(template?.body_text ?? '');
  const [body, setBody] = useState('html');
  const [shown, setShown] = useState('html');
  const [personId, setPerson] = useState<string | null>(null);
  const [search, setSearch] = useState('');
  const [asked] = useDebouncedValue(JSON.stringify({ subject, html, text, personId }), 300);
  const [who] = useDebouncedValue(search, 200);
  const people = useQuery({ queryKey: ['palette', who], queryFn: () => must(api.GET('/api/v1/customers', { params: { query: { query: who || undefined, limit: 8 } } })), placeholderData: keepPreviousData });
  const preview = useQuery({
    queryKey: ['template-preview', asked],
    queryFn: () => {
      const a = JSON.parse(asked) as { subject: string; html: string; text: string; personId: string | null };
      return must(api.POST('/api/v1/templates/preview', { body: { subject: a.subject, body_html: a.html, body_text: a.text, person_id: a.personId ?? undefined } }));
    },
    enabled: Boolean(subject || html || text),
    placeholderData: keepPreviousData,
    retry: false,
  });
  const save = useMutation({
    mutationFn: () => {
      const payload = { name, channel: 'email', subject, body_html: html, body_text: text };
      return template ? must(api.PUT('/api/v1/templates/{id}', { params: { path: { id: template.id } }, body: payload })) : must(api.POST('/api/v1/templates', { body: payload }));
    },
    onSuccess: (saved) => {
      client.setQueryData(['template', saved.id], saved);
      void client.invalidateQueries({ queryKey: ['templates'] });
      if (!template) void navigate({ to: '/templates/$id', params: { id: saved.id } });
      say(t('template.saved', { n: f.number(saved.version) }));
    },
  });
  const problem = [save.error, preview.error].find((e): e is Problem => e instanceof Problem && e.code === 'bad_template');
  const wrong = problem?.errors[0];
  const changed = !template || name !== template.name || subject !== template.subject || html !== template.body_html || text !== template.body_text;
  return (
    <div className="page">
      <PageHeader
        title={template?.name ?? t('action.newTemplate')}
        badge={template && <Badge tone={changed ? 'warn' : undefined}>{changed ? t('template.unsaved', { n: f.number(template.version) }) : t('segment.version', { n: f.number(template.version) })}</Badge>}
        actions={<ActButton right="messages:write" onClick={() => save.mutate()} loading={save.isPending} disabled={!changed || !name.trim() || !subject.trim()} data-testid="template-save">{template ? t('template.publish', { n: f.number(template.version + 1) }) : t('save')}</ActButton>}
      />
      {save.error && save.error !== problem && <ErrorNote error={save.error} kept={t('error.formKept')} />}
      <div className="tplgrid">
        <Panel title={t('template.text')}>
          <div className="body col g16">
            <TextInput label={t('field.name')} value={name} onChange={(e) => setName(e.currentTarget.value)} />
            <TextInput label={t('field.subject')} value={subject} onChange={(e) => setSubject(e.currentTarget.value)} placeholder={t('template.subjectExample')} />
            <div className="col g8 expr">
              <SegmentedControl value={body} onChange={setBody} aria-label={t('template.part')} data={[{ value: 'html', label: 'HTML' }, { value: 'text', label: t('template.plain') }]} style={{ alignSelf: 'flex-start' }} />
              {body === 'html' ? (
                <Textarea aria-label="HTML" autosize minRows={14} maxRows={26} spellCheck={false} value={html} onChange={(e) => setHtml(e.currentTarget.value)} error={Boolean(problem)} />
              ) : (
                <Textarea aria-label={t('template.plain')} autosize minRows={14} maxRows={26} value={text} onChange={(e) => setText(e.currentTarget.value)} />
              )}
              {problem && <InlineError>{wrong?.line != null ? t('template.line', { n: f.number(wrong.line), text: wrong.detail }) : (wrong?.detail ?? problem.detail)}</InlineError>}
            </div>
            <p className="t12 m2">{t('template.help')} <code className="mono">{'{{ customer.first_name | default("friend") }}'}</code></p>
          </div>
        </Panel>
        <Panel title={t('template.preview')} right={<SegmentedControl value={shown} onChange={setShown} aria-label={t('template.previewPart')} data={[{ value: 'html', label: 'HTML' }, { value: 'text', label: t('template.plain') }]} />}>
          <div className="body col g12">
            <Select
              label={t('template.as')}
              placeholder={t('template.asExample')}
              searchable
              clearable
              allowDeselect
              value={personId}
              onChange={setPerson}
              searchValue={search}
              onSearchChange={setSearch}
              filter={({ options }) => options}
              clearButtonProps={{ 'aria-label': t('filter.clear') }}
              data={(people.data?.items ?? []).map((c) => ({ value: c.person_id, label: nameOf(c, t('person.unnamed')) }))}
            />
            {preview.data ? (
              <>
                <p><span className="m2 t12">{t('field.subject')}</span><br /><b className="b">{preview.data.subject}</b></p>
                {shown === 'html' ? <iframe className="preview-frame" sandbox="" srcDoc={preview.data.html} title={t('template.preview')} /> : <pre className="code soft" tabIndex={0}>{preview.data.text}</pre>}
                {preview.data.warnings.map((w) => (
                  <p key={w} className="row warn-text t12"><IconAlertTriangle className="s" />{w}</p>
                ))}
                <p className="t12 m">{t('template.images')}</p>
              </>
            ) : (
              <p className="m2">{preview.error && !problem ? <ErrorNote error={preview.error} retry={() => void preview.refetch()} /> : t('template.previewEmpty')}</p>
            )}
          </div>
        </Panel>
      </div>
    </div>
  );
}
