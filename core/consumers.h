// Who takes jobs from one queue: subscriptions with credits. Turns go round among those that take a type.
// Belongs to one thread.
#pragma once

#include <optional>
#include <unordered_map>
#include <vector>

#include "core/event.h"

namespace pqd {

struct ConsumerKey {
  SessionNo session = 0;
  uint32_t subscription = 0;
  friend bool operator==(const ConsumerKey&, const ConsumerKey&) = default;
};

class Consumers {
 public:
  // Adds or changes a subscription; `used` is what its session holds under it already. Returns true when it
  // has credit to spare, so that ready jobs of its types are worth another look.
  bool set(const ConsumerKey& key, const std::vector<TypeNo>& types, uint32_t credits, uint32_t used);
  void remove(const ConsumerKey& key);

  bool wants(TypeNo type) const;
  // The next one in turn with credit for this type; nothing when none has. Spends nothing.
  std::optional<ConsumerKey> next(TypeNo type);
  void spend(const ConsumerKey& key);
  // Returns the types that became takeable by it: nullptr = none did; an empty list = every type.
  const std::vector<TypeNo>* give_back(const ConsumerKey& key);

  size_t size() const { return index_.size(); }
  // Subscriptions that name this type or take every type, with credit or without.
  bool any_for(TypeNo type) const;

  struct Credits {
    uint32_t granted = 0;
    uint32_t used = 0;
  };
  std::optional<Credits> credits(const ConsumerKey& key) const;
  // Members of rings that were looked at because some left: for tests, which hold it against those who left.
  uint64_t leaving_steps() const { return leaving_steps_; }
  // For State::check_invariants: the first broken invariant of the rings by name, nullptr when they hold.
  const char* find_fault() const;

 private:
  struct KeyHash {
    size_t operator()(const ConsumerKey& key) const {
      return key.session * 0x9E3779B97F4A7C15u + key.subscription;
    }
  };
  struct Consumer {
    ConsumerKey key;
    std::vector<TypeNo> types;
    uint32_t credits = 0;
    uint32_t used = 0;
    uint64_t joined = 0;  // a number that no other ever had; 0 = nobody is here
    bool spare() const { return joined != 0 && used < credits; }
  };
  struct Member {
    uint32_t at = 0;
    uint64_t joined = 0;
  };
  struct Ring {  // those who take one type, or every type
    // As they joined. Whoever left stands here until they are more than those who are there: so the order
    // stays, and whoever leaves costs no look at all the others.
    std::vector<Member> members;
    size_t there = 0;
    size_t turn = 0;
    size_t spare = 0;  // members with credit
  };

  template <class F>
  void for_rings(const Consumer& consumer, F&& f);
  void change(uint32_t at, uint32_t granted, uint32_t used);
  bool is_there(const Member& member) const { return consumers_[member.at].joined == member.joined; }
  void leave(Ring& ring);
  const char* find_fault(const Ring& ring, std::optional<TypeNo> type) const;
  std::optional<uint32_t> take_turn(Ring& ring);

  uint64_t joined_ = 0;  // the latest number
  uint64_t leaving_steps_ = 0;
  std::vector<Consumer> consumers_;
  std::vector<uint32_t> free_;
  std::unordered_map<ConsumerKey, uint32_t, KeyHash> index_;
  std::unordered_map<TypeNo, Ring> by_type_;
  Ring every_type_;
  bool every_type_first_ = false;
};

}  // namespace pqd
