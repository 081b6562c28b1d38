#include "core/idempotency.h"

#include <cstring>
#include <set>

#include "core/short_hash.h"

namespace pqd {

ShortHash key_hash(uint32_t uid, const SubmitView& submit) {
  Bytes scope;
  ByteWriter out(scope);
  out.varint(uid);
  out.text(submit.subject);
  out.text(submit.queue);
  out.text(submit.idempotency_key);
  return short_hash(scope);
}

ShortHash content_hash(const SubmitView& submit, const ShortHash& payload_hash) {
  Bytes content;
  ByteWriter out(content);
  out.text(submit.type);
  out.text(submit.metadata);
  out.text(submit.ordering_key);
  out.pod(payload_hash);
  out.pod(submit.head.mode);
  out.pod(submit.head.priority);
  out.pod(submit.head.delivery);
  return short_hash(content);
}

size_t IdempotencyKeys::Hasher::operator()(const ShortHash& hash) const {
  size_t value = 0;
  std::memcpy(&value, hash.data(), sizeof value);
  return value;
}

const IdempotencyKeys::Known* IdempotencyKeys::find(const ShortHash& key) const {
  const auto found = known_.find(key);
  return found == known_.end() ? nullptr : &found->second;
}

void IdempotencyKeys::note(uint64_t commit, const ShortHash& key, const Known& known) {
  known_.insert_or_assign(key, known);
  order_.emplace_back(commit, key);
}

void IdempotencyKeys::retire(uint64_t covered) {
  while (!order_.empty() && order_.front().first <= covered) {
    const auto found = known_.find(order_.front().second);
    // Noted again since: a later place in the order is its.
    if (found != known_.end() && found->second.commit <= covered) known_.erase(found);
    order_.pop_front();
  }
}

const char* IdempotencyKeys::find_fault() const {
  std::set<std::pair<uint64_t, ShortHash>> places;
  uint64_t last = 0;
  for (const auto& [commit, key] : order_) {
    if (commit < last) return "idempotency keys: order of commits";
    last = commit;
    places.emplace(commit, key);
  }
  for (const auto& [key, known] : known_)
    if (!places.contains({known.commit, key})) return "idempotency keys: one would never be retired";
  return nullptr;
}

}  // namespace pqd
