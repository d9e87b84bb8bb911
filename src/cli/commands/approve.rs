//! `promptgate approve`: records one person's approval of a version.

use crate::app::release::{ApproveResult, Approved, approve as approving};
use crate::app::{Environment, Failure, pretty_json};
use crate::cli::args::{ApproveArguments, LedgerFormat};
use crate::cli::exit::ExitStatus;
use crate::cli::output;
use promptgate_core::text::neutral;
use promptgate_release::ApprovalSource;
use promptgate_report::release::approval::{Approval, ApprovalResult, SCHEMA};

/// Approves a version.
pub(super) async fn approve(
    arguments: &ApproveArguments,
    environment: &Environment,
) -> Result<ExitStatus, Failure> {
    let approved = approving(&arguments.options(), environment).await?;
    output::warn(&approved.warnings);
    match arguments.write.format {
        LedgerFormat::Json => output::print(&pretty_json(&json(&approved), "the approval")?)?,
        LedgerFormat::Terminal => output::print_lines(&text(&approved))?,
    }
    Ok(match approved.result {
        ApproveResult::Approved | ApproveResult::AlreadyApproved => ExitStatus::Pass,
        ApproveResult::Refused(_) => ExitStatus::Fail,
    })
}

fn text(approved: &Approved) -> String {
    let Approved { name, version, approval, dry_run, .. } = approved;
    let (login, digest) = (neutral::terminal(&approval.login), approval.digest.short());
    match &approved.result {
        ApproveResult::Approved if *dry_run => {
            format!("{name}: {version} ({digest}) would be approved by {login}\n")
        }
        ApproveResult::Approved => format!("{name}: {version} ({digest}) approved by {login}\n"),
        ApproveResult::AlreadyApproved => {
            format!("{name}: {version} ({digest}) was already approved by {login}; nothing to record\n")
        }
        ApproveResult::Refused(reasons) => {
            let reasons: String =
                reasons.iter().map(|reason| format!("  {}\n", neutral::terminal(reason))).collect();
            format!("{name}: {version} ({digest}) was not approved by {login}\n{reasons}")
        }
    }
}

fn json(approved: &Approved) -> Approval {
    let (result, reasons) = match &approved.result {
        ApproveResult::Approved => (ApprovalResult::Approved, Vec::new()),
        ApproveResult::AlreadyApproved => (ApprovalResult::Unchanged, Vec::new()),
        ApproveResult::Refused(reasons) => (ApprovalResult::Refused, reasons.clone()),
    };
    let source = match approved.approval.source {
        ApprovalSource::Dispatch => "dispatch",
        ApprovalSource::Review => "review",
        ApprovalSource::Environment => "environment",
        ApprovalSource::Unverified => "unverified",
    };
    Approval {
        schema: SCHEMA.to_owned(),
        name: approved.name.to_string(),
        version: approved.version.to_string(),
        digest: approved.approval.digest.to_string(),
        login: approved.approval.login.clone(),
        teams: approved.approval.teams.clone(),
        source: source.to_owned(),
        result,
        reasons,
        warnings: approved.warnings.clone(),
        dry_run: approved.dry_run,
    }
}
