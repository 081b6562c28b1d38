// The turns that one group of a fair queue has before it: its ready jobs of one rank in the order of becoming
// ready, those of a batch in one turn. For explanations; the lines may not change meanwhile.
#pragma once

#include <optional>
#include <vector>

#include "core/ready_line.h"

namespace pqd {

class GroupTurns {
 public:
  struct Turn {
    uint64_t ready_seq = 0;  // of its first job
    uint64_t batch = 0;      // 0 = it is a job by itself
    uint64_t jobs = 0;

    bool has(const JobTable& table, Slot slot) const {
      return batch != 0 ? batch == table.batch(slot) : ready_seq == table.ready_seq(slot);
    }
  };

  // `lines`: one per type, as far as the group has jobs of it.
  GroupTurns(const JobTable& jobs, const std::vector<const ReadyLine*>& lines);
  // Nothing: there are no more jobs.
  std::optional<Turn> next();

 private:
  const JobTable& jobs_;
  std::vector<ReadyLine::Cursor> cursors_;
};

}  // namespace pqd
