#include <algorithm>

#include "core/schedules.h"
#include "tests/support/check/rules.h"

namespace pqd::check {
namespace {

class ScheduleRules {
 public:
  ScheduleRules(const History& history, std::vector<std::string>& broken)
      : history_(history), broken_(broken) {
    for (const auto& [id, state] : history.final_states())
      if (id.tag() == JobId::kScheduleTag)
        for (const ScheduleWish* wish : wishes_of_run(id)) runs_[wish->name][due_of(id)] = &state;
  }

  void all() {
    runs_come_from_schedules();
    schedules_are_as_told();
    if (history_.any_power_cut()) return;
    for (const ScheduleWish& wish : history_.schedule_wishes())
      if (wish.there && wish.every_ns != 0) no_run_is_left_out(wish);
  }

 private:
  using Runs = std::map<TimeNs, const FinalState*>;  // by due time

  void broken(const JobId& id, const std::string& rule) {
    broken_.push_back("job " + id.to_string() + " " + rule);
  }
  static TimeNs due_of(const JobId& run) { return static_cast<TimeNs>(run.unix_ms()) * kMillisecondNs; }

  // Names and due times give runs their ids, so that one of them twice would be one job with two lives: see
  // broken_lives().
  void runs_come_from_schedules() {
    std::map<JobId, std::vector<const Taking*>> taken;
    for (const Taking& t : history_.takings())
      if (t.id.tag() == JobId::kScheduleTag) taken[t.id].push_back(&t);
    for (const auto& [id, list] : taken) {
      const auto wishes = wishes_of_run(id);
      const bool once = std::ranges::all_of(
          wishes, [](const ScheduleWish* wish) { return wish->delivery == Delivery::kAtMostOnce; });
      if (wishes.empty()) broken(id, "was delivered and no schedule made it");
      if (once && list.size() > 1 + history_.redrives(id))
        broken(id, "is an at-most-once run and was delivered " + std::to_string(list.size()) + " times");
      for (const Taking* t : list) {
        const auto made_it = [t](const ScheduleWish* wish) { return wish->payload == t->payload; };
        if (std::ranges::none_of(wishes, made_it)) broken(id, "was delivered with no schedule's payload");
        if (t->at_ns != 0 && t->at_ns / 1'000'000 < static_cast<int64_t>(id.unix_ms()))
          broken(id, "was delivered before it was due");
      }
    }
    for (const auto& [id, state] : history_.final_states())
      if (id.tag() == JobId::kScheduleTag && wishes_of_run(id).empty())
        broken(id, "is there and no schedule made it");
  }
  std::vector<const ScheduleWish*> wishes_of_run(const JobId& id) const {
    std::vector<const ScheduleWish*> wishes;
    for (const ScheduleWish& wish : history_.schedule_wishes())
      if (wish.there && run_id(wish.name, due_of(id)) == id) wishes.push_back(&wish);
    return wishes;
  }

  // Of a name about which nothing else was said after it, up to the list.
  void schedules_are_as_told() {
    const uint64_t listed_at = history_.schedules_listed_at();
    for (const ScheduleWish& wish : history_.schedule_wishes()) {
      if (wish.outcome != Outcome::kOk || wish.acknowledged_at > listed_at) continue;
      const auto later = [&](const ScheduleWish& other) {
        const bool over = other.outcome != Outcome::kUnknown && other.acknowledged_at < wish.asked_at;
        return other.name == wish.name && &other != &wish && other.asked_at < listed_at && !over;
      };
      if (std::ranges::any_of(history_.schedule_wishes(), later)) continue;
      const bool there = history_.schedules().contains(wish.name);
      if (there != wish.there)
        broken_.push_back("schedule " + wish.name +
                          (there ? " was removed and is there" : " was acknowledged and is lost"));
    }
  }

  // A run is made when it is due, or as soon as that can be; what comes to be due until then is missed, and
  // the next one is the first due time after it was made.
  static TimeNs due_after(const ScheduleWish& wish, TimeNs due_ns, TimeNs made_ns) {
    return due_ns + (std::max<TimeNs>(made_ns - due_ns, 0) / wish.every_ns + 1) * wish.every_ns;
  }

  void no_run_is_left_out(const ScheduleWish& wish) {
    const Runs& runs = runs_[wish.name];
    for (auto run = runs.begin(); run != runs.end(); ++run) {
      const TimeNs next = due_after(wish, run->first, run->second->made_ns);
      const auto behind = std::next(run);
      if (behind != runs.end() && behind->first != next) told(wish, run->first, next, behind->first);
    }
    const auto listed = history_.schedules().find(wish.name);
    if (listed == history_.schedules().end()) return;
    const auto [last_ns, next_ns] = listed->second;
    if (last_ns == 0) {
      if (!runs.empty() && runs.begin()->first != next_ns) told(wish, 0, next_ns, runs.begin()->first);
      return;
    }
    const auto last = runs.find(last_ns);
    if (last == runs.end())
      return broken_.push_back("schedule " + wish.name + " says that it ran at " + std::to_string(last_ns) +
                               ", and there is no such job");
    const TimeNs next = due_after(wish, last_ns, last->second->made_ns);
    if (next != next_ns) told(wish, last_ns, next, next_ns);
  }
  void told(const ScheduleWish& wish, TimeNs after, TimeNs wanted, TimeNs got) {
    broken_.push_back("schedule " + wish.name + " runs at " + std::to_string(got) + " after " +
                      std::to_string(after) + ", and not at " + std::to_string(wanted));
  }

  const History& history_;
  std::vector<std::string>& broken_;
  std::map<std::string, Runs> runs_;
};

}  // namespace

void broken_schedules(const History& history, std::vector<std::string>& broken) {
  ScheduleRules(history, broken).all();
}

}  // namespace pqd::check
