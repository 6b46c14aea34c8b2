"""Case files: what a process should answer, written down and run with `stagerail test`.

    process: b2b-saas.yaml            # a path beside this file, or the process itself
    as_of: 2026-11-23T10:00:00Z       # the instant of every case that does not say its own
    actor: {id: ana, roles: [rep]}    # who moves the deal, if anybody is needed
    lang: en                          # the language of `message` and `detail` (en if not said)
    deal:                             # what the deals of all cases have in common
      created_at: 2026-10-01T09:00:00Z
    deals:                            # deals by name, each laid over `deal`
      in-proposal: {stage: proposal, fields: {amount: 12000}}
    cases:
      - name: A discount of a fifth needs the sales manager
        deal: {like: in-proposal, fields: {discount: 20}}     # or just the name: `deal: in-proposal`
        to: negotiation
        expect:
          outcome: blocked
          findings: [{requirement: discount-approved, code: approval_missing, severity: block}]
          not_applicable: [discount-sane]
      - name: First of all, send the proposal
        deal: in-proposal
        goal: won
        limit: 0
        expect:
          plan: {stages: [negotiation, won]}
          suggestions: [{kind: do_activity, activity: proposal, mandatory: true}]

A case says either `to` (a decision is expected) or `goal` (suggestions are). Deals are laid over each other key by key:
mappings are merged, lists and values are replaced, null takes away. `findings` names every finding there is, in order;
left out, it stands for none. `satisfied`, `not_applicable`, `plan`, `suggestions` and `blocked_by` are compared only
when they are given, and then as whole lists. A finding, a suggestion or a plan is compared in the keys that are given,
so that a case says what it is about and no more; `findings: [demo-held]` names requirements (or codes, for what has no
requirement) alone.
"""

from app.cli.cases.reading import Case, CaseFile, find_case_files, read_case_file
from app.cli.cases.running import CaseResult, run_case

__all__ = ["Case", "CaseFile", "CaseResult", "find_case_files", "read_case_file", "run_case"]
