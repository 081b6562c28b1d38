// Who looks after a load while everything dies: dead letters get a new life (one, all, those of a type), are
// reviewed, and once that was done now and then purged; schedules come and go.
#include <algorithm>
#include <thread>

#include "tests/support/eventually.h"
#include "tests/support/load/load_role.h"
#include "tests/support/load/load_schedule.h"

namespace pqd::test {
namespace {

constexpr uint64_t kHandledBetween = 15;  // jobs, from one deed to the next
constexpr uint32_t kLettersMax = 20;      // redriven at once
constexpr size_t kSchedulesMax = 6;

class Operator : LoadRole {
 public:
  using LoadRole::LoadRole;

  int run() {
    bool good = keep_schedules();
    uint64_t handled = this->handled();
    while (good && !process_.board.stop_operating.load(std::memory_order_relaxed)) {
      if (this->handled() >= handled + kHandledBetween) {
        handled = this->handled();
        good = look_after();
      } else {
        good = stay_alive();
      }
    }
    return good ? kLoadGood : kLoadBad;
  }

 private:
  using Letters = std::vector<JobInfo>;

  uint64_t handled() const { return process_.board.handled.load(std::memory_order_relaxed); }
  uint64_t next_number() { return load_number(process_.who, next_++); }
  uint64_t below(uint64_t bound) {
    chance_ = stirred(process_.options.mix + process_.who, chance_ + bound);
    return chance_ % bound;
  }

  bool stay_alive() {
    std::this_thread::sleep_for(kLookEvery);
    const auto alive = client_.process();
    return alive || failed("process", alive.error());
  }

  bool look_after() {
    const uint64_t choice = below(100);
    if (choice < 8) return keep_schedules();
    const char* const type = choice < 20 ? "left" : "";
    const auto letters = client_.dlq({.queue = process_.options.queue, .type = type, .limit = kLettersMax});
    if (!letters) return letters.error().error == Error::kNotFound || failed("dlq", letters.error());
    if (letters->empty()) return true;
    const JobInfo& one = (*letters)[below(letters->size())];
    if (choice < 30) return redrive_all(*letters);
    if (choice < 60) return command(Deed::Command::kRedrive, one);
    const auto reviewed = std::ranges::find_if(*letters, [](const JobInfo& j) { return j.core.reviewed; });
    if (choice < 80 || reviewed == letters->end()) return command(Deed::Command::kReview, one);
    return command(Deed::Command::kPurge, *reviewed);
  }

  // It may have been there no more, because one before us had asked for it and died.
  static bool may_be_refused(Error error) {
    return error == Error::kNotFound || error == Error::kInvalidStatus;
  }

  Deed about(Deed::Command command, const JobInfo& letter) {
    Deed deed{.number = next_number(), .id = letter.core.id};
    deed.token.job = letter.core.no;
    deed.command = command;
    return deed;
  }
  bool note_asked(Deed deed) {
    deed.kind = Deed::Kind::kCommands;
    return note(deed);
  }
  bool note_answer(Deed deed, Deed::Outcome outcome, uint64_t reconnects_before) {
    deed.kind = Deed::Kind::kCommanded;
    deed.outcome = outcome;
    deed.attempt = static_cast<uint16_t>(client_.counters().reconnects - reconnects_before);
    return note(deed);
  }

  bool command(Deed::Command command, const JobInfo& letter) {
    const Deed deed = about(command, letter);
    const uint64_t before = client_.counters().reconnects;
    if (!note_asked(deed)) return false;
    const auto done = command == Deed::Command::kRedrive ? client_.redrive(deed.id)
                      : command == Deed::Command::kReview
                          ? client_.review(deed.id, load_resolution(deed.number))
                          : client_.purge(deed.id);
    if (!done && !may_be_refused(done.error().error)) return failed("a command", done.error());
    return note_answer(deed, done ? Deed::Outcome::kOk : Deed::Outcome::kRefused, before);
  }

  // The answer counts them; when not all were taken nobody says which.
  bool redrive_all(const Letters& letters) {
    std::vector<Deed> deeds;
    std::vector<JobId> ids;
    for (const JobInfo& letter : letters) {
      deeds.push_back(about(Deed::Command::kRedrive, letter));
      ids.push_back(letter.core.id);
      if (!note_asked(deeds.back())) return false;
    }
    const uint64_t before = client_.counters().reconnects;
    const auto done = client_.redrive_many(ids);
    if (!done) return failed("redrive_many", done.error());
    const auto outcome = done->gone == 0 ? Deed::Outcome::kOk : Deed::Outcome::kUnknown;
    return std::ranges::all_of(deeds, [&](const Deed& deed) { return note_answer(deed, outcome, before); });
  }

  // One more, or when there are enough one less.
  bool keep_schedules() {
    const auto all = client_.cron_list();
    if (!all) return failed("cron_list", all.error());
    std::vector<uint64_t> ours;
    for (const ScheduleInfo& schedule : *all)
      if (const auto number = schedule_number(process_.options, schedule.name)) ours.push_back(*number);
    Deed deed{.number = next_number()};
    const bool adds = ours.size() < kSchedulesMax;
    deed.command = adds ? Deed::Command::kSchedule : Deed::Command::kUnschedule;
    deed.content = adds ? deed.number : ours[below(ours.size())];
    const LoadSchedule schedule = load_schedule(process_.options, deed.content);
    const uint64_t before = client_.counters().reconnects;
    if (!note_asked(deed)) return false;
    const auto done =
        adds ? client_.cron_set(schedule.request(process_.options)) : client_.cron_remove(schedule.name);
    if (!done && !may_be_refused(done.error().error)) return failed("a schedule", done.error());
    return note_answer(deed, done ? Deed::Outcome::kOk : Deed::Outcome::kRefused, before);
  }

  uint32_t next_ = 0;
  uint64_t chance_ = 0;
};

}  // namespace

int operate(const Forked::Say& say, const LoadProcess& process) {
  return run_role<Operator>("operator", say, process);
}

}  // namespace pqd::test
