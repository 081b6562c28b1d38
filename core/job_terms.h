// What a job comes with and keeps: whose it is, where it goes, on which terms. The jobs of one producer are
// mostly alike in this, so that memory has it once for all that are. Belongs to one thread.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstring>
#include <type_traits>

#include "core/job.h"
#include "core/slab.h"

namespace pqd {

// The fields of JobCore that no event changes in a job's life, under the same names.
struct JobTerms {
  SessionNo submitter = 0;
  uint32_t owner_uid = 0;
  QueueNo queue = 0;
  TypeNo type = 0;
  uint32_t queue_timeout_ms = 0;
  uint32_t processing_timeout_ms = 0;
  uint32_t backoff_first_ms = 0;
  uint32_t backoff_cap_ms = 0;
  uint16_t max_attempts = 0;
  Mode mode = Mode::kFifo;
  uint8_t priority = kPriorityNormal;
  Delivery delivery = Delivery::kAtLeastOnce;
  Durability durability = Durability::kFsync;
  bool backoff_jitter = false;
  bool keyed = false;
  uint32_t reserved = 0;  // in place of padding, which would be hashed

  static JobTerms of(const JobCore& job);
  void put_into(JobCore& job) const;
  uint8_t rank() const { return mode == Mode::kPriority ? priority : kPriorityNormal; }

  // It has no padding, see below.
  friend bool operator==(const JobTerms& a, const JobTerms& b) { return std::memcmp(&a, &b, sizeof a) == 0; }
};
static_assert(sizeof(JobTerms) == 48 && std::has_unique_object_representations_v<JobTerms>);

using TermsNo = uint32_t;
inline constexpr TermsNo kNoTerms = 0xFFFFFFFF;

class TermsTable {
 public:
  // How many different ones are shared. Clients choose them: of more each stands by itself, so that nobody
  // can make the search long.
  static constexpr size_t kSharedMax = 4'096;

  const JobTerms& operator[](TermsNo at) const { return entries_[at].terms; }

  // A job more with these.
  TermsNo add(const JobTerms& terms);
  // A job less; with the last one they go.
  void remove(TermsNo at);
  size_t size() const { return entries_.in_use(); }

 private:
  struct Entry {
    JobTerms terms;
    uint32_t jobs = 0;
    bool shared = false;
  };
  struct Hash {
    using is_avalanching = void;
    size_t operator()(const JobTerms& terms) const noexcept;
  };

  Slab<Entry> entries_;
  boost::unordered_flat_map<JobTerms, TermsNo, Hash> shared_;
  TermsNo latest_ = kNoTerms;  // what the next job most likely has, too
};

}  // namespace pqd
