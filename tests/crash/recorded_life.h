// One life of a store under a busy workload, with every change of its disk on record beside what its clients
// were told and what each commit must come back as. Belongs to one thread.
#pragma once

#include <memory>
#include <vector>

#include "core/journal_entry.h"
#include "tests/crash/disk_log.h"

namespace pqd::test {

struct LifePlan {
  uint64_t seed = 1;
  uint64_t commits = 60;
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
  std::vector<Mark> begun;  // the commit may be on the disk
  std::vector<Mark> told;   // all commits up to this one survive power loss: somebody was told
  // By commit: of live jobs and tables, and of the rows of all that finished.
  std::vector<ChainHash> live;
  std::vector<ChainHash> finished;

  uint64_t begun_by(size_t ops) const { return latest(begun, ops); }
  uint64_t told_by(size_t ops) const { return latest(told, ops); }

 private:
  static uint64_t latest(const std::vector<Mark>& marks, size_t ops);
};

// Fails the test, and returns what there is, when the store does not work at all.
std::unique_ptr<RecordedLife> record_life(const LifePlan& plan);

// Opens an image by the real recovery: what is wrong with it, "" = nothing. `ops`: where power was cut.
std::string fault_of_image(const std::string& directory, const RecordedLife& life, size_t ops);

}  // namespace pqd::test
