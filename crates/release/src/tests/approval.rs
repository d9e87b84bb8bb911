use super::*;

#[test]
fn approvals_count_by_identity_and_content() {
    let record = record(0);
    let by = |login: &str| approval(0, login);
    let team = |login: &str, team: &str| Approval { teams: vec![team.to_owned()], ..by(login) };
    let from = |source| Approval { source, ..by("alice") };
    let other = Approval { digest: content("other").digest(), ..by("alice") };
    let cases = [
        (by("alice"), Ok(())),
        (by("Alice"), Ok(())),
        (from(ApprovalSource::Environment), Ok(())),
        (from(ApprovalSource::Dispatch), Ok(())),
        (team("carol", "@org/owners"), Ok(())),
        (team("carol", "@Org/Owners"), Ok(())),
        (team("carol", "@org/others"), Err(ApprovalRejection::NotAnApprover)),
        (by("stranger"), Err(ApprovalRejection::NotAnApprover)),
        (by("@org/owners"), Err(ApprovalRejection::NotAnApprover)), // a team is not a person
        (by("author"), Err(ApprovalRejection::Author)),
        (by("AUTHOR"), Err(ApprovalRejection::Author)),
        (team("author", "@org/owners"), Err(ApprovalRejection::Author)),
        (other, Err(ApprovalRejection::OtherDigest)),
        (from(ApprovalSource::Unverified), Err(ApprovalRejection::Unverified)),
    ];
    for (approval, expected) in cases {
        assert_eq!(approval.check(&record, false), expected, "{approval:?}");
    }
    assert_eq!(from(ApprovalSource::Unverified).check(&record, true), Ok(()));
    let author = Approval { source: ApprovalSource::Unverified, ..by("author") };
    assert_eq!(author.check(&record, true), Err(ApprovalRejection::Author));
}

#[test]
fn digests_are_read_strictly() {
    let digest = content("text").digest();
    assert_eq!(digest.as_str().parse::<Digest>(), Ok(digest.clone()));
    assert_eq!(digest.short().len(), 12);
    assert!(digest.as_str()["sha256:".len()..].starts_with(digest.short()));
    let digits = "0".repeat(64);
    for text in [
        String::new(),
        digits.clone(),
        format!("sha256:{}", &digits[1..]),
        format!("sha256:{digits}0"),
        format!("SHA256:{digits}"),
        format!("sha256:{}A", &digits[1..]),
        format!("sha256:{}é", &digits[2..]),
    ] {
        assert_eq!(text.parse::<Digest>(), Err(InvalidReference::Digest(text.clone())));
        assert!(serde_json::from_value::<Digest>(text.into()).is_err());
    }
}
