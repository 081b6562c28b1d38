// The jobs in memory in the order of their ids, so that a list finds its page without looking at all of them,
// and whoever names a job by its id finds it by two binary searches: what is frequent names jobs by their
// numbers. Ids stand in chunks; each chunk says roughly which queues, types, owners and states are in it, and
// a look passes over a chunk that can have nothing for it. "Roughly": what has left a chunk, and what shares
// a bit, may still be said of it; a look that went through a whole chunk says it anew. So a look may see rows
// in vain, and is therefore bounded: it stops after so many rows and goes on where it stopped.
//
// About five bytes a job. Adding the newest id and taking one out do not search; an id out of order costs two
// binary searches. Belongs to the thread of its JobTable.
#pragma once

#include <algorithm>
#include <array>
#include <deque>
#include <vector>

#include "core/job.h"

namespace pqd {

class JobTable;
using Slot = uint32_t;  // where a job stands in its JobTable
inline constexpr Slot kNoSlot = 0xFFFFFFFF;

// What stands in a chunk, or what a look is for. A bit may stand for several queues, types or owners.
struct LiveSummary {
  uint64_t queues = 0;
  uint64_t types = 0;
  uint64_t owners = 0;
  uint8_t states = 0;  // a bit per JobState

  static LiveSummary of(const JobTable& jobs, Slot slot);
  static LiveSummary everything() { return {~uint64_t{0}, ~uint64_t{0}, ~uint64_t{0}, 0xFF}; }
  static uint64_t queue_bit(QueueNo queue) { return uint64_t{1} << (queue % 64); }
  static uint64_t type_bit(TypeNo type) { return uint64_t{1} << (type % 64); }
  static uint64_t owner_bit(uint32_t uid) { return uint64_t{1} << (uid % 64); }

  void add(const LiveSummary& other);
  bool may_have(const LiveSummary& wanted) const {
    return (queues & wanted.queues) != 0 && (types & wanted.types) != 0 && (owners & wanted.owners) != 0 &&
           (states & wanted.states) != 0;
  }
  bool covers(const LiveSummary& other) const;
};

class LiveIndex {
 public:
  static constexpr uint32_t kChunkJobs = 128;

  // REQUIRES: the job stands in `jobs`, and none of its id is in here yet.
  void add(JobTable& jobs, Slot slot);
  // REQUIRES: the job still stands in `jobs`.
  void remove(JobTable& jobs, Slot slot);
  // The job's state is another one now.
  void state_changed(const JobTable& jobs, Slot slot);
  // Without a search where the id is above all others, as those of new jobs mostly are.
  bool has(const JobTable& jobs, const JobId& id) const;
  // kNoSlot = no job has this id.
  Slot find(const JobTable& jobs, const JobId& id) const;

  // Calls f(slot) for jobs with ids below `below` (empty = all), newest first, until it says false, leaving
  // out only jobs that cannot be among the wanted ones. Ends after about `rows_max` rows; a chunk that is
  // passed over counts as one. `below` is then where to go on. Returns true when nothing is left to see, or f
  // said false.
  template <class F>
  bool look(const JobTable& jobs, const LiveSummary& wanted, JobId& below, size_t& rows_max, F&& f);

  size_t chunk_count() const { return order_.size(); }
  // For tests: the first broken rule, or nullptr.
  const char* find_fault(const JobTable& jobs) const;

 private:
  struct Chunk {
    LiveSummary summary;
    uint32_t count = 0;
    std::array<Slot, kChunkJobs> slots;  // by id, oldest first
  };
  struct Place {
    JobId low;  // no id in the chunk is below, none in an earlier chunk is not
    uint32_t chunk = 0;
  };

  size_t place_of(const JobId& id) const;  // the last place whose low is not above; 0 when all are
  void insert(JobTable& jobs, Slot slot, size_t place);
  uint32_t take_chunk();
  void append_chunk(JobTable& jobs, Slot slot);
  void split(JobTable& jobs, size_t place);
  void shrink(JobTable& jobs, size_t place);
  void merge_into_earlier(JobTable& jobs, size_t place);
  void drop(size_t place);
  LiveSummary summary_of(const JobTable& jobs, const Chunk& chunk) const;
  static const JobId& id_of(const JobTable& jobs, Slot slot);
  // How many of the chunk's ids are below.
  static uint32_t count_below(const JobTable& jobs, const Chunk& chunk, const JobId& id);

  std::deque<Place> order_;  // oldest first; the oldest and the newest end move most
  std::deque<Chunk> chunks_;
  std::vector<uint32_t> free_;
};

template <class F>
bool LiveIndex::look(const JobTable& jobs, const LiveSummary& wanted, JobId& below, size_t& rows_max, F&& f) {
  if (order_.empty()) return true;
  size_t place = below.empty() ? order_.size() - 1 : place_of(below);
  for (;; --place) {
    if (rows_max == 0) return false;
    Chunk& chunk = chunks_[order_[place].chunk];
    if (!chunk.summary.may_have(wanted)) {
      --rows_max;
    } else {
      const uint32_t from = below.empty() ? chunk.count : count_below(jobs, chunk, below);
      for (uint32_t i = from; i-- > 0;) {
        if (rows_max == 0) return false;
        --rows_max;
        below = id_of(jobs, chunk.slots[i]);
        if (!f(chunk.slots[i])) return true;
      }
      chunk.summary = summary_of(jobs, chunk);
    }
    if (place == 0) return true;
    below = order_[place].low;
  }
}

}  // namespace pqd
