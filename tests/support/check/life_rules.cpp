// A job has one life after the other, each under a number of its own that is higher than those before; the
// leases of one end before those of the next begin. With the power goes what was not synced, numbers among
// it: these rules are about histories without power cuts.
#include <algorithm>
#include <map>
#include <set>

#include "tests/support/check/rules.h"

namespace pqd::check {
namespace {

class LifeRules {
 public:
  LifeRules(const History& history, std::vector<std::string>& broken) : history_(history), broken_(broken) {
    // Those of durability memory are no dead letters, and one that was sent again is another job.
    for (const Taking& t : history.takings())
      if (!is_memory(t.token.job)) taken_[t.id].push_back(&t);
    for (auto& [id, list] : taken_)
      std::ranges::sort(list, {}, [](const Taking* t) { return lease_of(t->token); });
  }

  void all() {
    for (const auto& [id, list] : taken_) lives_follow_each_other(id, list);
    commands_are_kept();
    lists_know_of_commands();
    purges_and_reviews_were_asked_for();
    somebody_completed_it();
  }

 private:
  void broken(const JobId& id, const std::string& rule) {
    broken_.push_back("job " + id.to_string() + " " + rule);
  }
  // Nothing when nobody looked at its lives.
  const FinalState* final_state(const JobId& id) const {
    const auto at = history_.final_states().find(id);
    return at == history_.final_states().end() || at->second.life == 0 ? nullptr : &at->second;
  }

  void lives_follow_each_other(const JobId& id, const std::vector<const Taking*>& list) {
    std::set<JobNo> lives;
    const Taking* before = nullptr;
    for (const Taking* t : list) {
      lives.insert(t->token.job);
      if (before != nullptr && t->token.job < before->token.job)
        broken(id, "was delivered in a life that was over");
      if (before != nullptr && t->token.job == before->token.job && t->attempt < before->attempt)
        broken(id, "begins its attempts anew within one life");
      before = t;
    }
    const uint64_t may = 1 + history_.lives_asked_for(id);
    if (lives.size() > may)
      broken(id, "had " + std::to_string(lives.size()) + " lives, and may have had " + std::to_string(may));
    const FinalState* end = final_state(id);
    if (end != nullptr && *lives.rbegin() > end->life)
      broken(id, "was delivered in a life that is not there");
  }

  void commands_are_kept() {
    for (const LetterCommand& command : history_.letter_commands()) {
      if (command.outcome != Outcome::kOk) continue;
      const FinalState* end = final_state(command.id);
      if (end == nullptr) {
        broken(command.id, "was a dead letter that somebody looked after, and is lost");
      } else if (command.kind == LetterCommand::Kind::kRedrive && end->life <= command.life) {
        broken(command.id, "was redriven and has no new life");
      } else if (command.kind == LetterCommand::Kind::kPurge && !end->purged) {
        broken(command.id, "was purged and is not");
      } else if (command.kind == LetterCommand::Kind::kReview &&
                 std::ranges::count(end->resolutions, command.resolution) != 1) {
        broken(command.id, "was reviewed and does not say so once");
      }
    }
  }

  // Whoever asks next, whichever engine answers.
  void lists_know_of_commands() {
    std::map<JobId, const LetterCommand*> done;  // the latest that changed a dead letter
    for (const LetterCommand& command : history_.letter_commands()) {
      const auto at = done.find(command.id);
      if (at != done.end() && at->second->acknowledged_at < command.asked_at) {
        if (at->second->kind == LetterCommand::Kind::kPurge)
          broken(command.id, "was purged and is still listed");
        else if (command.life <= at->second->life)
          broken(command.id, "was redriven and is still listed in its life of before");
      }
      if (command.outcome == Outcome::kOk && command.kind != LetterCommand::Kind::kReview)
        done[command.id] = &command;
    }
  }

  void purges_and_reviews_were_asked_for() {
    std::set<JobId> purged;
    std::map<JobId, std::multiset<std::string>> reviewed;
    for (const LetterCommand& command : history_.letter_commands()) {
      if (command.kind == LetterCommand::Kind::kPurge) purged.insert(command.id);
      if (command.kind == LetterCommand::Kind::kReview) reviewed[command.id].insert(command.resolution);
    }
    for (const auto& [id, state] : history_.final_states()) {
      if (state.life == 0) continue;
      if (state.purged && !purged.contains(id)) broken(id, "is purged and nobody asked for it");
      for (const std::string& resolution : state.resolutions) {
        std::multiset<std::string>& asked = reviewed[id];
        const auto at = asked.find(resolution);
        if (at == asked.end()) {
          broken(id, "has a review that nobody made");
        } else {
          asked.erase(at);
        }
      }
    }
  }

  // In the life that it ended in.
  void somebody_completed_it() {
    std::set<std::pair<JobId, JobNo>> completed;
    for (const Settlement& s : history_.settlements())
      if (s.verdict == Verdict::kComplete && s.outcome != Outcome::kRefused)
        completed.emplace(s.id, s.token.job);
    for (const auto& [id, state] : history_.final_states())
      if (state.life != 0 && state.state == JobState::kCompleted && !completed.contains({id, state.life}))
        broken(id, "is completed and nobody completed it");
  }

  const History& history_;
  std::vector<std::string>& broken_;
  std::map<JobId, std::vector<const Taking*>> taken_;  // in the order of their leases
};

}  // namespace

void broken_lives(const History& history, std::vector<std::string>& broken) {
  if (!history.any_power_cut()) LifeRules(history, broken).all();
}

}  // namespace pqd::check
