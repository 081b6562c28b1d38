#include "core/job_terms.h"

#include <array>
#include <bit>

namespace pqd {

JobTerms JobTerms::of(const JobCore& job) {
  return {.submitter = job.submitter,
          .owner_uid = job.owner_uid,
          .queue = job.queue,
          .type = job.type,
          .queue_timeout_ms = job.queue_timeout_ms,
          .processing_timeout_ms = job.processing_timeout_ms,
          .backoff_first_ms = job.backoff_first_ms,
          .backoff_cap_ms = job.backoff_cap_ms,
          .max_attempts = job.max_attempts,
          .mode = job.mode,
          .priority = job.priority,
          .delivery = job.delivery,
          .durability = job.durability,
          .backoff_jitter = job.backoff_jitter,
          .keyed = job.keyed};
}

void JobTerms::put_into(JobCore& job) const {
  job.submitter = submitter;
  job.owner_uid = owner_uid;
  job.queue = queue;
  job.type = type;
  job.queue_timeout_ms = queue_timeout_ms;
  job.processing_timeout_ms = processing_timeout_ms;
  job.backoff_first_ms = backoff_first_ms;
  job.backoff_cap_ms = backoff_cap_ms;
  job.max_attempts = max_attempts;
  job.mode = mode;
  job.priority = priority;
  job.delivery = delivery;
  job.durability = durability;
  job.backoff_jitter = backoff_jitter;
  job.keyed = keyed;
}

size_t TermsTable::Hash::operator()(const JobTerms& terms) const noexcept {
  uint64_t mixed = 0;
  for (const uint64_t word :
       std::bit_cast<std::array<uint64_t, sizeof(JobTerms) / sizeof(uint64_t)>>(terms)) {
    mixed = (mixed ^ word) * 0x9E3779B97F4A7C15u;
    mixed ^= mixed >> 32;
  }
  return static_cast<size_t>(mixed);
}

TermsNo TermsTable::add(const JobTerms& terms) {
  if (latest_ != kNoTerms && entries_[latest_].terms == terms) {
    ++entries_[latest_].jobs;
    return latest_;
  }
  const auto known = shared_.find(terms);
  const TermsNo at = known != shared_.end() ? known->second : entries_.take();
  Entry& entry = entries_[at];
  if (entry.jobs++ == 0) {
    entry.terms = terms;
    entry.shared = shared_.size() < kSharedMax;
    if (entry.shared) shared_.emplace(terms, at);
  }
  if (entry.shared) latest_ = at;
  return at;
}

void TermsTable::remove(TermsNo at) {
  Entry& entry = entries_[at];
  if (--entry.jobs != 0) return;
  if (entry.shared) shared_.erase(entry.terms);
  if (latest_ == at) latest_ = kNoTerms;
  entries_.give_back(at);
}

}  // namespace pqd
