package metrics

import "github.com/tollgate-mail/tollgate/internal/daemon"

// trialRows are figures of what is judged twice: by a candidate in shadow, by the
// policy before beside a canary, and again by the same policy.
func trialRows() []row {
	return []row{
		gauge("policy_info", "Always 1; says which policy is in force, as journals and usage records have it.", func(s *daemon.Status, y yield) { y(1, s.Policy.Version) }, "version"),
		gauge("shadow_running", "1 while a candidate is judged beside the policy in force.", func(s *daemon.Status, y yield) { y(yes(s.Shadow.On)) }),
		counter("shadow_messages", "Messages that the candidate in shadow judged.", one(func(s *daemon.Status) int64 { return s.Shadow.Judged })),
		counter("shadow_different", "Of those: another verdict or other tags.", one(func(s *daemon.Status) int64 { return s.Shadow.Different })),
		counter("shadow_left_out", "Messages that the candidate in shadow had no room for.", one(func(s *daemon.Status) int64 { return s.Shadow.LeftOut })),
		gauge("canary_running", "1 while a candidate is in force for a part of the mail.", func(s *daemon.Status, y yield) { y(yes(s.Canary.Running())) }),
		gauge("canary_went_back", "1 when the last canary went back by itself, until `canary stop` acknowledges it.", func(s *daemon.Status, y yield) { y(yes(s.Canary.BySelf())) }),
		counter("canary_messages", "Messages that the canary judged.", one(func(s *daemon.Status) int64 { return s.Canary.Judged })),
		counter("canary_refused", "Of those: refused by the canary and not by the policy before.", one(func(s *daemon.Status) int64 { return s.Canary.Refused })),
		counter("self_check_messages", "Messages that were judged twice by the same policy.", one(func(s *daemon.Status) int64 { return s.SelfCheck.Judged })),
		counter("self_check_different", "Of those: judged otherwise the second time, a fault of tollgate.", one(func(s *daemon.Status) int64 { return s.SelfCheck.Different })),
	}
}
