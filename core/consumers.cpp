#include "core/consumers.h"

#include <cstdlib>

namespace pqd {

template <class F>
void Consumers::for_rings(const Consumer& consumer, F&& f) {
  if (consumer.types.empty()) return f(every_type_);
  for (const TypeNo type : consumer.types) f(by_type_[type]);
}

void Consumers::change(uint32_t at, uint32_t granted, uint32_t used) {
  Consumer& consumer = consumers_[at];
  const bool before = consumer.spare();
  consumer.credits = granted;
  consumer.used = used;
  const bool after = consumer.spare();
  if (before == after) return;
  for_rings(consumer, [after](Ring& ring) { after ? ++ring.spare : --ring.spare; });
}

bool Consumers::set(const ConsumerKey& key, const std::vector<TypeNo>& types, uint32_t credits,
                    uint32_t used) {
  remove(key);
  uint32_t at = static_cast<uint32_t>(consumers_.size());
  if (free_.empty()) {
    consumers_.emplace_back();
  } else {
    at = free_.back();
    free_.pop_back();
  }
  consumers_[at] = {key, types, 0, 0, true};
  index_.emplace(key, at);
  for_rings(consumers_[at], [at](Ring& ring) { ring.members.push_back(at); });
  change(at, credits, used);
  return consumers_[at].spare();
}

void Consumers::remove(const ConsumerKey& key) {
  const auto found = index_.find(key);
  if (found == index_.end()) return;
  const uint32_t at = found->second;
  change(at, 0, 0);
  for_rings(consumers_[at], [at](Ring& ring) {
    std::erase(ring.members, at);
    ring.turn = 0;
  });
  consumers_[at] = {};
  free_.push_back(at);
  index_.erase(found);
}

bool Consumers::wants(TypeNo type) const {
  if (every_type_.spare > 0) return true;
  const auto ring = by_type_.find(type);
  return ring != by_type_.end() && ring->second.spare > 0;
}

bool Consumers::any_for(TypeNo type) const {
  if (!every_type_.members.empty()) return true;
  const auto ring = by_type_.find(type);
  return ring != by_type_.end() && !ring->second.members.empty();
}

std::optional<Consumers::Credits> Consumers::credits(const ConsumerKey& key) const {
  const auto found = index_.find(key);
  if (found == index_.end()) return std::nullopt;
  return Credits{consumers_[found->second].credits, consumers_[found->second].used};
}

std::optional<uint32_t> Consumers::take_turn(Ring& ring) {
  if (ring.spare == 0) return std::nullopt;
  for (size_t i = 0; i < ring.members.size(); ++i) {
    const uint32_t at = ring.members[ring.turn++ % ring.members.size()];
    if (consumers_[at].spare()) return at;
  }
  return std::nullopt;
}

std::optional<ConsumerKey> Consumers::next(TypeNo type) {
  const auto ring = by_type_.find(type);
  std::optional<uint32_t> at;
  every_type_first_ = !every_type_first_;
  if (every_type_first_) at = take_turn(every_type_);
  if (!at && ring != by_type_.end()) at = take_turn(ring->second);
  if (!at) at = take_turn(every_type_);
  if (!at) return std::nullopt;
  return consumers_[*at].key;
}

void Consumers::spend(const ConsumerKey& key) {
  const auto found = index_.find(key);
  if (found == index_.end()) return;
  const Consumer& consumer = consumers_[found->second];
  change(found->second, consumer.credits, consumer.used + 1);
}

const std::vector<TypeNo>* Consumers::give_back(const ConsumerKey& key) {
  const auto found = index_.find(key);
  if (found == index_.end()) return nullptr;
  const Consumer& consumer = consumers_[found->second];
  if (consumer.used == 0) std::abort();
  const bool before = consumer.spare();
  change(found->second, consumer.credits, consumer.used - 1);
  return !before && consumer.spare() ? &consumer.types : nullptr;
}

}  // namespace pqd
