// What the processes of a load write down, outside the daemon: one record a write(), so that a
// SIGKILL leaves whole ones. What they are about to do they say before the daemon can know of it.
#pragma once

#include <string>
#include <vector>

#include "core/job.h"
#include "core/journal_entry.h"
#include "shm/unique_fd.h"

namespace pqd::test {

struct Deed {
  enum class Kind : uint8_t {
    kSubmits,     // is about to send the job `number`
    kSent,        // it has this id
    kDecided,     // and this outcome; `first` if it is a duplicate of that job
    kTook,        // has job `id`, before anything is done with it
    kSettles,     // is about to settle it
    kSettled,     // and this is what became of that
    kAgain,       // the connection was another one: everything undecided is sent again
    kCommands,    // is about to send the command `number`, about the life `token.job` of job `id`, or a
                  // schedule
    kCommanded,   // and this is what became of it; it was sent again `attempt` times
    kEngineDied,  // of the daemon, by whoever owns the load
    kListed,      // the schedules that there are, by the same
  };
  enum class Outcome : uint8_t { kUnknown, kOk, kRefused };
  enum class Verdict : uint8_t { kComplete, kFail, kRelease };
  enum class Command : uint8_t { kRedrive, kReview, kPurge, kSchedule, kUnschedule };

  uint64_t moment = 0;  // over all processes of the load
  uint64_t who = 0;     // which of its processes, those that took a dead one's place included
  uint64_t number = 0;  // of the submit or command
  uint64_t content = 0;  // of the job; of a schedule its number
  JobId id{};
  JobId first{};
  LeaseToken token{};
  ChainHash payload{};  // its SHA-256
  Kind kind = Kind::kSubmits;
  Outcome outcome = Outcome::kUnknown;
  Verdict verdict = Verdict::kComplete;
  Command command = Command::kRedrive;
  uint16_t attempt = 0;
  uint16_t max_attempts = 0;
};
static_assert(std::is_trivially_copyable_v<Deed>);

class DeedLog {
 public:
  explicit DeedLog(const std::string& path);
  bool add(const Deed& deed) const;

 private:
  UniqueFd file_;
};

// Those of every log in the directory, by moment.
std::vector<Deed> read_deeds(const std::string& directory);

}  // namespace pqd::test
