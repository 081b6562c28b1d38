// The model's fair turns: the groups of each rank, their times and the rank's clock.
#include <algorithm>

#include "tests/sim/model.h"

namespace pqd::sim {
namespace {

constexpr int64_t kTurn = 12;  // of weight 1; the worlds have weights up to 4

}  // namespace

std::string Model::group_of(const ModelJob& job) const {
  const Fairness fair = queues_.at(job.queue).settings.fair;
  if (fair == Fairness::kOff) return {};
  if (fair == Fairness::kKey) return job.key;
  return std::to_string(job.owner) + (job.subject.empty() ? "" : "/" + job.subject);
}

int64_t Model::turn_of(const std::string& queue, const std::string& group) const {
  const auto weights = options_.weights.find(queue);
  if (weights == options_.weights.end()) return kTurn;
  const bool by_key = queues_.at(queue).settings.fair == Fairness::kKey;
  const FairWeights& named = by_key ? weights->second.keys : weights->second.users;
  const auto weight = named.find(group);
  return weight == named.end() ? kTurn : kTurn / weight->second;
}

// A batch of several groups, formed before they took turns, is its first job's.
void Model::fair_anew(const std::string& queue) {
  std::map<uint64_t, const ModelJob*> firsts;  // by batch
  for (const auto& [id, job] : live_) {
    if (job.queue != queue || !job.waits(Pending::kReady) || job.batch == 0) continue;
    const ModelJob*& first = firsts[job.batch];
    if (first == nullptr || job.ready_order < first->ready_order) first = &job;
  }
  for (auto& [id, job] : live_)
    if (job.queue == queue && job.waits(Pending::kReady))
      job.group = group_of(job.batch == 0 ? job : *firsts.at(job.batch));
  queues_.at(queue).fair.clear();
  regroup(queue);
}

// After each change of the ready jobs: who has come gets a time, who has none is forgotten.
void Model::regroup(const std::string& queue) {
  ModelQueue& entry = queues_.at(queue);
  if (entry.settings.fair == Fairness::kOff) return entry.fair.clear();
  std::set<std::pair<uint8_t, std::string>> there;
  for (const auto& [id, job] : live_)
    if (job.queue == queue && job.waits(Pending::kReady)) there.emplace(job.rank(), job.group);
  for (auto& [rank, turns] : entry.fair)
    std::erase_if(turns.times, [&](const auto& group) { return !there.contains({rank, group.first}); });
  for (const auto& [rank, group] : there) {
    FairTurns& turns = entry.fair[rank];
    turns.times.emplace(group, turns.clock + turn_of(queue, group));
  }
}

void Model::pass_turn(const ModelJob& job, FairTurns& turns) const {
  int64_t& time = turns.times.at(job.group);
  turns.clock = std::max(turns.clock, time);
  time = turns.clock + turn_of(job.queue, job.group);
}

// Of those that are ready and of one rank, the one whose turn it is.
const ModelJob* Model::next_in_turn(const std::vector<const ModelJob*>& jobs, const FairTurns* turns) const {
  std::map<std::string, const ModelJob*> firsts;  // by group
  for (const ModelJob* job : jobs) {
    const ModelJob*& first = firsts[turns == nullptr ? "" : job->group];
    if (first == nullptr || job->ready_order < first->ready_order) first = job;
  }
  const ModelJob* best = nullptr;
  int64_t best_time = 0;
  for (const auto& [group, first] : firsts) {
    const int64_t time = turns == nullptr ? 0 : turns->times.at(group);
    if (best != nullptr && std::pair(time, first->ready_order) >= std::pair(best_time, best->ready_order))
      continue;
    best = first;
    best_time = time;
  }
  return best;
}

// Before the engine's first turn nobody has had any.
bool Model::turns_are_guessed(const ModelJob& job) const {
  const ModelQueue& queue = queues_.at(job.queue);
  return queue.settings.fair != Fairness::kOff && !queue.fair.contains(job.rank());
}

// The ready jobs of a queue, each with how many go before it, if none comes or goes.
void Model::count_turns(const std::string& queue, std::map<JobId, uint64_t>& before) const {
  std::map<int, std::map<std::string, std::map<uint64_t, const ModelJob*>>> lines;  // by rank, group, order
  for (const auto& [id, job] : live_)
    if (job.queue == queue && job.waits(Pending::kReady))
      lines[-job.rank()][job.group][job.ready_order] = &job;
  const auto& fair = queues_.at(queue).fair;
  uint64_t count = 0;
  for (auto& [rank, groups] : lines) {
    const auto found = fair.find(static_cast<uint8_t>(-rank));
    FairTurns turns = found == fair.end() ? FairTurns{} : found->second;
    for (const auto& [name, line] : groups) turns.times.emplace(name, 0);
    while (!groups.empty()) {
      auto best = groups.begin();
      const auto place = [&](const auto& group) {
        return std::pair(turns.times.at(group.first), group.second.begin()->first);
      };
      for (auto at = groups.begin(); at != groups.end(); ++at)
        if (place(*at) < place(*best)) best = at;
      const uint64_t batch = best->second.begin()->second->batch;
      pass_turn(*best->second.begin()->second, turns);
      do {
        before[best->second.begin()->second->id] = count++;
        best->second.erase(best->second.begin());
      } while (batch != 0 && !best->second.empty() && best->second.begin()->second->batch == batch);
      if (best->second.empty()) groups.erase(best);
    }
  }
}

}  // namespace pqd::sim
