// Idempotency keys: which job the first submit under a key of (user, queue) made, for as long as keys are
// kept. Memory has those that the checkpoints do not cover yet, the store has the rest. Only hashes are kept:
// of the key with its scope, and of the content that was submitted under it. Belongs to one thread.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <deque>

#include "core/event.h"
#include "core/submit_record.h"

namespace pqd {

// What a key leads to. The store keeps these bytes.
struct KeptKey {
  ShortHash content{};
  JobId first;
  TimeNs expires_ns = 0;

  friend bool operator==(const KeptKey&, const KeptKey&) = default;
};
static_assert(sizeof(KeptKey) == 40 && std::is_trivially_copyable_v<KeptKey>);

// SHA-256 over user (uid and subject), queue and key, each with its length. The user stands in it, so that
// whoever could make two of them meet could only confuse himself.
ShortHash key_hash(uint32_t uid, const SubmitView& submit);
// SHA-256 over what makes two submits the same request: type, payload (by its hash), metadata, mode,
// priority, delivery and ordering key. Times are not in it: they are counted from a now that differs.
ShortHash content_hash(const SubmitView& submit, const ShortHash& payload_hash);

class IdempotencyKeys {
 public:
  // What memory knows: nothing = ask the store; freed = the store may still have it, but it is free again.
  struct Known {
    KeptKey kept;
    bool freed = false;
    uint64_t commit = 0;
  };
  // Until the next change.
  const Known* find(const ShortHash& key) const;

  void keep(uint64_t commit, const ShortHash& key, const KeptKey& kept) {
    note(commit, key, {kept, false, commit});
  }
  void free(uint64_t commit, const ShortHash& key) { note(commit, key, {{}, true, commit}); }
  // The store has what happened in commits up to `covered`.
  void retire(uint64_t covered);

  size_t size() const { return known_.size(); }
  template <class F>
  void for_each(F&& f) const {
    for (const auto& [key, known] : known_) f(key, known);
  }
  // For State::check_invariants: the first broken invariant by name, nullptr when they hold.
  const char* find_fault() const;

 private:
  struct Hasher {
    using is_avalanching = void;
    size_t operator()(const ShortHash& hash) const;  // the bytes are random already
  };
  void note(uint64_t commit, const ShortHash& key, const Known& known);

  boost::unordered_flat_map<ShortHash, Known, Hasher> known_;
  std::deque<std::pair<uint64_t, ShortHash>> order_;  // commit in which it was noted
};

}  // namespace pqd
