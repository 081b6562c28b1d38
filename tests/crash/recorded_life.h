// One life of a store under a busy workload, with every change of its disk on record beside what its clients
// were told and what each commit must come back as. Belongs to one thread.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <vector>

#include "core/job.h"
#include "core/journal_entry.h"
#include "daemon/store/store_error.h"
#include "tests/crash/disk_log.h"
#include "tests/crash/fault_fs.h"
#include "tests/support/temp_dir.h"

namespace pqd::test {

// What a life has come to, for a process that looks at its end: the last commit that was begun, and the last
// one of which somebody was told.
struct LifeBoard {
  // relaxed: read when the life's process is over.
  std::atomic<uint64_t> begun{0}, told{0};
};

struct LifePlan {
  uint64_t seed = 1;
  uint64_t commits = 60;
  std::string directory = {};  // of the store; "" = one that goes with the life
  LifeBoard* board = nullptr;
  // Syncs are another thread's, as the committer's are: commits go in, and logs are begun, while they last.
  bool syncs_beside = false;
  bool last_word = false;  // ends as pqd does when it is stopped: synced, and the witness knows
  FaultPlan fault = {};  // the life ends with the first call of the store that fails
  // Faults of the rig itself, each of which must be found.
  bool tell_before_sync = false;
  bool forget_directory_syncs = false;
};

struct RecordedLife {
  // After so many changes of the disk.
  struct Mark {
    size_t ops = 0;
    uint64_t commit = 0;
  };

  LifePlan plan;
  DiskLog log;
  std::optional<TempDir> own_directory;
  std::string directory;          // the store, closed
  uint64_t calls = 0;             // that changed the disk
  uint64_t reads = 0;             // of the disk
  bool faulted = false;           // the planned one came
  std::optional<StoreError> end;  // why it ended before its last commit
  bool went_on = false;           // a store that had failed took something all the same
  std::vector<Mark> begun;        // the commit may be on the disk
  std::vector<Mark> told;         // all commits up to this one survive power loss: somebody was told
  struct Checkpoint {
    size_t from = 0;          // so many changes of the disk before it
    size_t to = 0;            // and after it
    bool rows_ahead = false;  // of finished jobs
  };
  std::vector<Checkpoint> checkpoints;
  // By commit: the clock, which a turn may have moved that wrote nothing; digests of live jobs and tables, and
  // of the rows of all that finished.
  std::vector<TimeNs> now;
  std::vector<ChainHash> live;
  std::vector<ChainHash> finished;

  uint64_t begun_by(size_t ops) const { return latest(begun, ops); }
  uint64_t told_by(size_t ops) const { return latest(told, ops); }

 private:
  static uint64_t latest(const std::vector<Mark>& marks, size_t ops);
};

std::unique_ptr<RecordedLife> record_life(const LifePlan& plan);

// Opens an image by the real recovery: what is wrong with it, "" = nothing. `ops`: where power was cut.
// `env`: what the store is read through, nullptr = the system's.
std::string fault_of_image(const std::string& directory, const RecordedLife& life, size_t ops,
                           rocksdb::Env* env = nullptr);
// Whether that fault is a refusal: somebody is told, and nothing is served.
bool is_refusal(std::string_view fault);

}  // namespace pqd::test
