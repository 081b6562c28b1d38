#include "tests/support/check/history.h"

namespace pqd::check {

size_t History::submitted(Submission submission) {
  submission.asked_at = ++step_;
  submissions_.push_back(std::move(submission));
  return submissions_.size() - 1;
}

void History::submit_ended(size_t at, Outcome outcome, int64_t now_ns, const JobId& first) {
  submissions_[at].outcome = outcome;
  submissions_[at].acknowledged_at = ++step_;
  submissions_[at].acknowledged_ns = now_ns;
  submissions_[at].first = first;
}

void History::took(Taking taking) {
  taking.step = ++step_;
  takings_.push_back(std::move(taking));
}

size_t History::settled(Settlement settlement) {
  ++step_;
  settlements_.push_back(settlement);
  return settlements_.size() - 1;
}

void History::settlement_ended(size_t at, Outcome outcome) {
  settlements_[at].outcome = outcome;
  settlements_[at].acknowledged_at = ++step_;
}

size_t History::schedule_asked(ScheduleWish wish) {
  wish.asked_at = ++step_;
  schedule_wishes_.push_back(std::move(wish));
  return schedule_wishes_.size() - 1;
}

void History::schedule_ended(size_t at, Outcome outcome) {
  schedule_wishes_[at].outcome = outcome;
  schedule_wishes_[at].acknowledged_at = ++step_;
}

void History::schedules_listed(std::map<std::string, ScheduleStand> schedules) {
  schedules_ = std::move(schedules);
  schedules_listed_at_ = ++step_;
}

size_t History::letter_command(LetterCommand command) {
  command.asked_at = ++step_;
  if (command.kind == LetterCommand::Kind::kRedrive) redriven(command.id);
  letter_commands_.push_back(std::move(command));
  return letter_commands_.size() - 1;
}

void History::letter_command_ended(size_t at, Outcome outcome) {
  letter_commands_[at].outcome = outcome;
  letter_commands_[at].acknowledged_at = ++step_;
}

uint64_t History::redrives(const JobId& id) const {
  const auto at = redrives_.find(id);
  return at == redrives_.end() ? 0 : at->second;
}

uint64_t History::lives_asked_for(const JobId& id) const {
  const auto again = redriven_again_.find(id);
  return redrives(id) + (again == redriven_again_.end() ? 0 : again->second);
}

}  // namespace pqd::check
