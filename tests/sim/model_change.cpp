// What those who watch have to be told: each step of each job, as the model took it.
#include "core/change.h"
#include "tests/sim/model.h"

namespace pqd::sim {

// The step that the job is about to take, which leads to `after`: who has it in hand is still known.
void Model::changed(const ModelJob& job, ChangeKind kind, JobState after, Reason reason) {
  Change change;
  change.id = job.id;
  change.holder = job.holder;
  change.owner_uid = job.owner;
  change.attempt = job.attempts;
  change.kind = kind;
  change.state = after;
  change.reason = reason;
  change.progress = job.progress;
  change.when_ns = now_;
  changes_[job.id].push_back(change);
}

// Of one job in their order. Which of two jobs comes first is for the receipts and deliveries to say.
void Model::judge_changes(std::span<const Change> changes, const State& state) {
  auto expected = std::exchange(changes_, {});
  for (const Change& got : changes) {
    auto& line = expected[got.id];
    require(!line.empty(), "job ", got.id, ": it is told that it is ", change_name(got.kind),
            ", and nobody expects that");
    const Change want = line.front();
    line.pop_front();
    require(got.kind == want.kind && got.state == want.state, "job ", got.id, ": it is told that it is ",
            change_name(got.kind), " and ", state_name(got.state), ", not ", change_name(want.kind), " and ",
            state_name(want.state));
    require(got.attempt == want.attempt && got.reason == want.reason && got.progress == want.progress, "job ",
            got.id, ": ", change_name(got.kind), " is told with attempt ", got.attempt, ", reason ",
            reason_name(got.reason), ", progress ", int{got.progress}, ", not ", want.attempt, ", ",
            reason_name(want.reason), ", ", int{want.progress});
    require(got.holder == want.holder && got.owner_uid == want.owner_uid && got.when_ns == want.when_ns,
            "job ", got.id, ": ", change_name(got.kind), " is told with another holder, owner or time");
    const ModelJob* job = find(got.id);
    require(job == nullptr || (state.tables.queue(got.queue).name == job->queue &&
                               state.tables.type(got.type) == job->type),
            "job ", got.id, ": ", change_name(got.kind), " is told with another queue or type");
  }
  for (const auto& [id, line] : expected)
    require(line.empty(), "job ", id, ": nobody is told that it is ",
            line.empty() ? "" : change_name(line.front().kind));
}

}  // namespace pqd::sim
