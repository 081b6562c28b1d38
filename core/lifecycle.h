// The life of a job: the one table that says which state follows which. Nothing else in the project changes a
// state; the drawing in core/README.md is made from this table (tests compare them).
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "core/job.h"

namespace pqd {

enum class Step : uint8_t {
  kReady,     // a parked, delayed or backing-off job becomes ready
  kAssign,    // into a consumer's hands
  kStart,     // the consumer has begun
  kComplete,  // settled well
  kRetry,     // the attempt is spent, another follows
  kFail,      // the last attempt is spent
  kTimeout,   // waited too long
  kCancel,
  kRelease,  // given back unspent
};

struct LifecycleRow {
  JobState from;
  Step step;
  JobState to;
  std::string_view label;
};

inline constexpr std::array<LifecycleRow, 15> kLifecycle{{
    {JobState::kPending, Step::kReady, JobState::kPending, "ready"},
    {JobState::kPending, Step::kAssign, JobState::kAssigned, "assign"},
    {JobState::kPending, Step::kTimeout, JobState::kTimeout, "queue timeout"},
    {JobState::kPending, Step::kCancel, JobState::kCancelled, "cancel"},
    {JobState::kAssigned, Step::kStart, JobState::kProcessing, "start"},
    {JobState::kAssigned, Step::kComplete, JobState::kCompleted, "complete"},
    {JobState::kAssigned, Step::kRetry, JobState::kPending, "fail, attempts left"},
    {JobState::kAssigned, Step::kFail, JobState::kFailed, "fail, none left"},
    {JobState::kAssigned, Step::kRelease, JobState::kPending, "release"},
    {JobState::kAssigned, Step::kCancel, JobState::kCancelled, "cancel --running"},
    {JobState::kProcessing, Step::kComplete, JobState::kCompleted, "complete"},
    {JobState::kProcessing, Step::kRetry, JobState::kPending, "fail, attempts left"},
    {JobState::kProcessing, Step::kFail, JobState::kFailed, "fail, none left"},
    {JobState::kProcessing, Step::kRelease, JobState::kPending, "release"},
    {JobState::kProcessing, Step::kCancel, JobState::kCancelled, "cancel --running"},
}};

// The state after `step`, or nothing when the step is not allowed from there.
std::optional<JobState> next_state(JobState from, Step step);

// REQUIRES: next_state(job.state, step). Aborts otherwise: the caller broke an invariant.
void take(JobCore& job, Step step);

// The table as a Mermaid state diagram, for the documentation.
std::string lifecycle_diagram();

}  // namespace pqd
