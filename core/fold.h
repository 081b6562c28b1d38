// What each event does to one job's facts. The broker's memory, recovery and the checkpoint rows all go
// through these functions, so they cannot disagree. `now` is the clock of the event's TimePassed.
#pragma once

#include "core/event.h"
#include "core/job_row.h"
#include "core/submit_record.h"

namespace pqd {

// The facts of a job that `event` brings in. `submit` is the record the event points to, `settings` those of
// its queue at that moment.
JobCore born(const Submitted& event, const SubmitView& submit, const QueueSettings& settings, TimeNs now);

void fold(JobCore& job, const Admitted& event, TimeNs now);
void fold(JobCore& job, const KeyTurn& event, TimeNs now);
// `index`: its place in the event's list.
void fold(JobCore& job, const BatchFormed& event, size_t index, TimeNs now);
void fold(JobCore& job, const ParkRefused& event, TimeNs now);
void fold(JobCore& job, const Readied& event, TimeNs now);
// `epoch` is the one of the latest EpochStarted.
void fold(JobCore& job, const Assigned& event, uint32_t epoch, TimeNs now);
void fold(JobCore& job, const Reheld& event, TimeNs now);
void fold(JobCore& job, const Started& event, TimeNs now);
void fold(JobCore& job, const Completed& event, TimeNs now);
void fold(JobCore& job, const AttemptFailed& event, TimeNs now);
void fold(JobCore& job, const Failed& event, TimeNs now);
void fold(JobCore& job, const TimedOut& event, TimeNs now);
void fold(JobCore& job, const Cancelled& event, TimeNs now);
void fold(JobCore& job, const CancelRequested& event, TimeNs now);
void fold(JobCore& job, const Released& event, TimeNs now);
void fold(JobCore& job, const Extended& event, TimeNs now);
void fold(JobCore& job, const Reviewed& event, TimeNs now);
void fold(JobCore& job, const Purged& event, TimeNs now);
// The facts of the new life. `was` are those of the dead letter.
JobCore reborn(const Redriven& event, const JobCore& was, TimeNs now);

// The attempt that ended with `reason`, for the job's history. REQUIRES: called before the fold of the event,
// while the job still has its holder, whose user is `holder_uid`.
AttemptInfo ended_attempt(const JobCore& job, uint32_t holder_uid, Reason reason, std::string_view error,
                          TimeNs now);

// Puts what the event says into the row: `row` as `event.row` has it, with the record. `reviewer_uid` is the
// user of `event.by`.
void amend(JobRow& row, const Reviewed& event, uint32_t reviewer_uid, std::string_view resolution,
           TimeNs now);
void amend(JobRow& row, const Purged& event, TimeNs now);

// How long to back off before the attempt after `attempts` spent ones: first * 2^(attempts-1), at most the
// cap.
uint64_t backoff_ms(const JobCore& job);

}  // namespace pqd
