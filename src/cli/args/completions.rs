//! `promptgate completions`.

use clap::{Args, ValueEnum};
use clap_complete::Shell;

/// `promptgate completions`.
#[derive(Debug, Args)]
pub(crate) struct CompletionsArguments {
    /// The shell.
    #[arg(value_enum)]
    pub(crate) shell: CompletionShell,
}

/// Shells with a completion script.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum CompletionShell {
    /// `promptgate completions bash > ~/.local/share/bash-completion/completions/promptgate`
    Bash,
    /// `promptgate completions zsh > "${fpath[1]}/_promptgate"`
    Zsh,
    /// `promptgate completions fish > ~/.config/fish/completions/promptgate.fish`
    Fish,
    /// `promptgate completions powershell | Out-String | Invoke-Expression`
    #[value(name = "powershell")]
    PowerShell,
}

impl From<CompletionShell> for Shell {
    fn from(shell: CompletionShell) -> Self {
        match shell {
            CompletionShell::Bash => Self::Bash,
            CompletionShell::Zsh => Self::Zsh,
            CompletionShell::Fish => Self::Fish,
            CompletionShell::PowerShell => Self::PowerShell,
        }
    }
}
