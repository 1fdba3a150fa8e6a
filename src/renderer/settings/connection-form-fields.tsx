import { useEffect, useId, useRef, type ReactElement } from 'react';
import {
  DEFAULT_GATEWAY_PORT,
  type GatewayMode,
  type GatewayProfile,
  type SshTransportChoice,
} from '../../shared/gateway-profile.ts';
import { gatewayLabel } from '../../shared/gateway-label.ts';
import type { Translate } from '../../shared/i18n/index.ts';
import type { DraftField } from '../../shared/ipc-contract.ts';
import { Button } from '../design/button.tsx';
import { ComboField } from '../design/combo-field.tsx';
import { RadioGroup } from '../design/radio-group.tsx';
import { SecretField } from '../design/secret-field.tsx';
import { SelectField } from '../design/select-field.tsx';
import { TextField, type TextFieldProps } from '../design/text-field.tsx';
import { useCommands, useRunCommand, useShown, useTranslate } from '../gangway-context.ts';
import { useSecretsAreInMemory } from '../secrets-in-memory.ts';
import { settle } from '../settle.ts';
import { matchingHosts, useHostSuggestions } from './host-suggestions.ts';
import { ResolvedTarget } from './resolved-target.tsx';
import type { ConnectionForm } from './use-connection-form.ts';

const MODES: readonly GatewayMode[] = ['local', 'ssh', 'direct'];
const TRANSPORTS: readonly SshTransportChoice[] = ['automatic', 'ssh2', 'openssh'];
type PlainField = Exclude<DraftField, 'token' | 'password' | 'sshTarget' | 'sshTransport'>;

/** The boxes of the connection form, those of the chosen mode only. */
export function ConnectionFormFields({ form }: { readonly form: ConnectionForm }): ReactElement {
  const t = useTranslate();
  const ref = useRef<HTMLDivElement>(null);
  const { refusals } = form;
  useEffect(() => {
    const wrong = refusals > 0 ? ref.current?.querySelector<HTMLElement>('[aria-invalid="true"]') : null;
    // The whole field, with what is said about it, and not only the box.
    wrong?.closest('.field')?.scrollIntoView({ block: 'center' });
    wrong?.focus({ preventScroll: true });
  }, [refusals]);
  return (
    <div className="form" ref={ref}>
      <RadioGroup
        label={t('settings.mode')}
        value={form.values.mode}
        onChange={(mode) => form.set('mode', mode)}
        choices={MODES.map((mode) => ({
          value: mode,
          label: t(`settings.modes.${mode}`),
          hint: t(`settings.modeHints.${mode}`),
        }))}
      />
      <ModeFields form={form} />
      <section className="group" aria-labelledby="credentials-title">
        <h2 className="group__title" id="credentials-title">
          {t('settings.credentials')}
        </h2>
        <div className="panel panel--form">
          <div className="form__pair">
            <SecretBox form={form} field="token" label={t('settings.token')} />
            <SecretBox form={form} field="password" label={t('settings.password')} />
          </div>
          <CredentialsHint />
        </div>
      </section>
    </div>
  );
}

function ModeFields({ form }: { readonly form: ConnectionForm }): ReactElement {
  const t = useTranslate();
  const { gateway } = useShown();
  const { mode, sshTarget, directUrl } = form.values;
  const { profile } = gateway;
  /** What it would be called without a name: what the box shows while it is empty. */
  const unnamedProfile: GatewayProfile = {
    ...profile,
    name: '',
    mode,
    ssh: { ...profile.ssh, target: sshTarget.trim() },
    direct: { url: directUrl.trim() },
  };
  const title =
    mode === 'ssh' ? t('settings.remote') : mode === 'direct' ? t('settings.direct') : t('settings.local');
  return (
    <section className="group" aria-labelledby="mode-title">
      <h2 className="group__title" id="mode-title">
        {title}
      </h2>
      <div className="panel panel--form">
        {mode === 'ssh' ? <SshFields form={form} /> : null}
        {mode === 'direct' ? (
          <FormField
            form={form}
            field="directUrl"
            label={t('settings.directUrl')}
            placeholder="wss://gateway.example.com"
            hint={t('settings.directUrlHint')}
            inputMode="url"
            mono
          />
        ) : null}
        {mode === 'local' ? (
          <FormField
            form={form}
            field="localGatewayPort"
            label={t('settings.localGatewayPort')}
            hint={t('settings.localGatewayPortHint', { port: DEFAULT_GATEWAY_PORT })}
            inputMode="numeric"
            mono
          />
        ) : null}
        <FormField
          form={form}
          field="name"
          label={t('settings.name')}
          optionalText={t('settings.optional')}
          placeholder={gatewayLabel(unnamedProfile, t)}
        />
      </div>
    </section>
  );
}

function SshFields({ form }: { readonly form: ConnectionForm }): ReactElement {
  const t = useTranslate();
  const { api, reportCommandError } = useCommands();
  const { gateway, snapshot } = useShown();
  const { sshTransport } = form.values;
  // A choice that was made elsewhere stays in sight.
  const transports = TRANSPORTS.filter(
    (value) => value !== 'openssh' || value === sshTransport || snapshot.platform !== 'win32',
  );
  const choose = async (): Promise<void> => {
    const chosen = await settle(api.settings.chooseIdentityFile({ gatewayId: gateway.profile.id }));
    if (!chosen.ok) reportCommandError(chosen.error);
    else if (chosen.value.path !== null) form.set('identityFile', chosen.value.path);
  };
  return (
    <>
      <TargetField form={form} />
      <ResolvedTarget draft={form.draft} saves={form.saves} />
      <FormField
        form={form}
        field="identityFile"
        label={t('settings.identityFile')}
        optionalText={t('settings.optional')}
        placeholder={t('settings.identityFilePlaceholder')}
        mono
        trailing={<Button onClick={() => void choose()}>{t('settings.choose')}</Button>}
      />
      <div className="form__pair">
        <FormField
          form={form}
          field="gatewayPort"
          label={t('settings.gatewayPort')}
          inputMode="numeric"
          mono
        />
        <FormField
          form={form}
          field="localPort"
          label={t('settings.localPort')}
          hint={localPortHint(form, t)}
          inputMode="numeric"
          mono
        />
      </div>
      <SelectField
        label={t('settings.transport')}
        hint={t(`settings.transportHints.${sshTransport}`)}
        data-field="sshTransport"
        value={sshTransport}
        onChange={(transport) => form.set('sshTransport', transport)}
        choices={transports.map((value) => ({ value, label: t(`settings.transports.${value}`) }))}
      />
      <KeptSshSecrets />
    </>
  );
}

/** What was remembered for SSH, and the way to have it forgotten. */
function KeptSshSecrets(): ReactElement | null {
  const t = useTranslate();
  const { api } = useCommands();
  const { gateway } = useShown();
  const run = useRunCommand();
  const whatId = useId();
  if (!gateway.hasSshSecrets) return null;
  return (
    <div className="settings__kept">
      <p className="field__hint" id={whatId}>
        {t('settings.sshSecrets')}
      </p>
      <Button
        size="small"
        aria-describedby={whatId}
        onClick={() => run(api.settings.forgetSshSecrets({ gatewayId: gateway.profile.id }))}
      >
        {t('settings.forgetSshSecrets')}
      </Button>
    </div>
  );
}

/** The target, with the hosts of the user's SSH configuration offered while it is typed. */
function TargetField({ form }: { readonly form: ConnectionForm }): ReactElement {
  const t = useTranslate();
  const hosts = useHostSuggestions();
  const code = form.errors.sshTarget;
  const { sshTarget } = form.values;
  return (
    <ComboField
      label={t('settings.sshTarget')}
      listLabel={t('settings.hosts')}
      placeholder={t('settings.sshTargetPlaceholder')}
      hint={t('settings.sshTargetHint')}
      mono
      data-field="sshTarget"
      value={sshTarget}
      onChange={(value) => form.set('sshTarget', value)}
      onBlur={() => form.leave('sshTarget')}
      error={code === undefined ? null : t(`fieldErrors.${code}`)}
      options={matchingHosts(hosts, sshTarget)}
    />
  );
}

/** Where the Gateway will answer; nothing while what is typed is no port. */
function localPortHint(form: ConnectionForm, t: Translate): string | undefined {
  const port = form.values.localPort.trim();
  const isPort = /^\d{1,5}$/.test(port) && Number(port) >= 1 && Number(port) <= 65_535;
  return isPort ? t('settings.localPortHint', { port }) : undefined;
}

interface FormFieldProps extends Omit<TextFieldProps, 'value' | 'onChange' | 'error' | 'form'> {
  readonly form: ConnectionForm;
  readonly field: PlainField;
}

function FormField({ form, field, ...rest }: FormFieldProps): ReactElement {
  const t = useTranslate();
  const code = form.errors[field];
  return (
    <TextField
      {...rest}
      data-field={field}
      value={form.values[field]}
      onChange={(value) => form.set(field, value)}
      onBlur={() => form.leave(field)}
      error={code === undefined ? null : t(`fieldErrors.${code}`)}
    />
  );
}

interface SecretBoxProps {
  readonly form: ConnectionForm;
  readonly field: 'token' | 'password';
  readonly label: string;
}

/** What is stored is never shown, not even its length: the box says that there is something, and takes a new one. */
function SecretBox({ form, field, label }: SecretBoxProps): ReactElement {
  const t = useTranslate();
  const { gateway } = useShown();
  const isInMemory = useSecretsAreInMemory();
  const isStored = gateway.secrets[form.values.mode][field];
  const typed = form.values[field];
  const code = form.errors[field];
  const isRemoved = isStored && typed === '';
  const storedText = isInMemory ? t('settings.secretInMemory') : t('settings.secretStored');
  return (
    <SecretField
      label={label}
      optionalText={isStored ? undefined : t('settings.optional')}
      data-field={field}
      value={typed ?? ''}
      placeholder={isRemoved ? t('settings.secretWillBeRemoved') : isStored ? storedText : ' '}
      hint={isStored && typed === null ? t('settings.replaceHint') : undefined}
      onChange={(value) => form.set(field, value === '' ? null : value)}
      onBlur={() => form.leave(field)}
      error={code === undefined ? null : t(`fieldErrors.${code}`)}
      showText={t('common.show')}
      hideText={t('common.hide')}
      trailing={
        !isStored || (typed !== null && typed !== '') ? undefined : isRemoved ? (
          <Button onClick={() => form.set(field, null)}>{t('settings.keep')}</Button>
        ) : (
          <Button onClick={() => form.set(field, '')}>{t('settings.remove')}</Button>
        )
      }
    />
  );
}

/** OpenClaw docs, web/dashboard: prints the shared token in an interactive terminal. */
const SHOW_TOKEN = 'openclaw gateway auth-token --show';

function CredentialsHint(): ReactElement {
  const t = useTranslate();
  const isInMemory = useSecretsAreInMemory();
  return (
    <>
      <p className="field__hint">
        {isInMemory ? t('settings.credentialsHintMemory') : t('settings.credentialsHint')}
      </p>
      <p className="field__hint selectable">{t('settings.tokenHint', { command: SHOW_TOKEN })}</p>
    </>
  );
}
