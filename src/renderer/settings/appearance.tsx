import type { ReactElement } from 'react';
import type { LanguagePreference, ThemePreference } from '../../shared/app-snapshot.ts';
import { RadioGroup } from '../design/radio-group.tsx';
import { useCommands, useRunCommand, useShown, useTranslate } from '../gangway-context.ts';

const THEMES: readonly ThemePreference[] = ['system', 'light', 'dark'];
const LANGUAGES: readonly { readonly value: LanguagePreference; readonly ownName: string | null }[] = [
  { value: 'system', ownName: null },
  { value: 'en', ownName: 'English' },
  { value: 'ko', ownName: '한국어' },
];

/** Theme and language; both take effect at once in every window. */
export function Appearance(): ReactElement {
  const t = useTranslate();
  const { api } = useCommands();
  const { snapshot } = useShown();
  const run = useRunCommand();
  const { preferences } = snapshot;
  return (
    <section className="group" aria-labelledby="appearance-title">
      <h2 className="group__title" id="appearance-title">
        {t('settings.appearance')}
      </h2>
      <div className="panel panel--form">
        <RadioGroup
          layout="inline"
          label={t('settings.theme')}
          value={preferences.theme}
          onChange={(theme) => run(api.app.setPreferences({ ...preferences, theme }))}
          choices={THEMES.map((theme) => ({ value: theme, label: t(`settings.themes.${theme}`) }))}
        />
        <RadioGroup
          layout="inline"
          label={t('settings.language')}
          value={preferences.language}
          onChange={(language) => run(api.app.setPreferences({ ...preferences, language }))}
          choices={LANGUAGES.map(({ value, ownName }) => ({
            value,
            label: ownName ?? t('settings.languageSystem'),
          }))}
        />
      </div>
    </section>
  );
}
