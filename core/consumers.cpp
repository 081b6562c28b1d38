#include "core/consumers.h"

#include <cstdlib>
#include <utility>

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
  consumers_[at] = {key, types, 0, 0, ++joined_};
  index_.emplace(key, at);
  for_rings(consumers_[at], [this, at](Ring& ring) {
    ring.members.push_back({at, joined_});
    ++ring.there;
  });
  change(at, credits, used);
  return consumers_[at].spare();
}

void Consumers::remove(const ConsumerKey& key) {
  const auto found = index_.find(key);
  if (found == index_.end()) return;
  const uint32_t at = found->second;
  change(at, 0, 0);
  const Consumer gone = std::exchange(consumers_[at], {});
  free_.push_back(at);
  index_.erase(found);
  if (gone.types.empty()) return leave(every_type_);
  for (const TypeNo type : gone.types) {
    const auto ring = by_type_.find(type);
    leave(ring->second);
    if (ring->second.there == 0) by_type_.erase(ring);
  }
}

// REQUIRES: one of its members is there no longer.
void Consumers::leave(Ring& ring) {
  ring.turn = 0;
  ++leaving_steps_;
  if (2 * --ring.there >= ring.members.size()) return;
  leaving_steps_ += ring.members.size();
  std::erase_if(ring.members, [this](const Member& member) { return !is_there(member); });
}

bool Consumers::wants(TypeNo type) const {
  if (every_type_.spare > 0) return true;
  const auto ring = by_type_.find(type);
  return ring != by_type_.end() && ring->second.spare > 0;
}

bool Consumers::any_for(TypeNo type) const { return every_type_.there > 0 || by_type_.contains(type); }

std::optional<Consumers::Credits> Consumers::credits(const ConsumerKey& key) const {
  const auto found = index_.find(key);
  if (found == index_.end()) return std::nullopt;
  return Credits{consumers_[found->second].credits, consumers_[found->second].used};
}

std::optional<uint32_t> Consumers::take_turn(Ring& ring) {
  if (ring.spare == 0) return std::nullopt;
  for (size_t i = 0; i < ring.members.size(); ++i) {
    const Member& member = ring.members[ring.turn++ % ring.members.size()];
    if (is_there(member) && consumers_[member.at].spare()) return member.at;
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
