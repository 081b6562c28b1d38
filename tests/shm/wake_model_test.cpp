// The wake protocol of shm/doorbell.h, walked through in every interleaving on a machine whose stores wait in
// a buffer, as x86 has it: one ringer who publishes three times, one sleeper who must see all of it. And the
// proof that the walk would notice: each ingredient left out loses a wake-up.
#include <gtest/gtest.h>

#include <cstdint>
#include <set>
#include <vector>

namespace pqd {
namespace {

struct Variant {
  bool ringer_fence = true;
  bool sleeper_fence = true;
  bool second_look = true;
  bool drain_before_sleep = false;
  bool new_number_each_arming = true;
};

constexpr int kPublishes = 3;

// Each thread stores to one shared word only, so that its buffer is a list of values for that word, oldest
// first.
struct Machine {
  // Memory.
  int tail = 0;
  int word = 0;
  int rings = 0;  // in the eventfd
  // Ringer.
  int ringer_step = 0;
  int published = 0;
  int rung = -1;
  std::vector<int> ringer_buffer;
  // Sleeper.
  int sleeper_step = 0;
  int own_word = 0;
  int seen = 0;
  std::vector<int> sleeper_buffer;

  friend auto operator<=>(const Machine&, const Machine&) = default;
};

class Walk {
 public:
  explicit Walk(Variant variant) : variant_(variant) {}

  // True when no way leads to a sleeper that sleeps for ever with something unread.
  bool never_loses_a_wake_up() {
    std::vector<Machine> open{Machine{}};
    while (!open.empty()) {
      Machine machine = std::move(open.back());
      open.pop_back();
      if (!known_.insert(machine).second) continue;
      const size_t before = open.size();
      flush(machine, open);
      ringer(machine, open);
      sleeper(machine, open);
      if (open.size() == before && machine.seen != kPublishes) return false;
    }
    return true;
  }
  size_t states() const { return known_.size(); }

 private:
  static void flush(Machine machine, std::vector<Machine>& open) {
    if (!machine.ringer_buffer.empty()) {
      Machine next = machine;
      next.tail = next.ringer_buffer.front();
      next.ringer_buffer.erase(next.ringer_buffer.begin());
      open.push_back(next);
    }
    if (!machine.sleeper_buffer.empty()) {
      machine.word = machine.sleeper_buffer.front();
      machine.sleeper_buffer.erase(machine.sleeper_buffer.begin());
      open.push_back(machine);
    }
  }

  void ringer(Machine machine, std::vector<Machine>& open) const {
    switch (machine.ringer_step) {
      case 0:  // publish
        if (machine.published == kPublishes) return;
        machine.ringer_buffer.push_back(++machine.published);
        machine.ringer_step = 1;
        break;
      case 1:  // fence: waits until its stores are in memory
        if (variant_.ringer_fence && !machine.ringer_buffer.empty()) return;
        machine.ringer_step = 2;
        break;
      default:  // look at the word, ring at most once for an arming; a system call drains the buffer
        machine.ringer_step = 0;
        if (machine.word % 2 == 0 || machine.word == machine.rung) break;
        if (!machine.ringer_buffer.empty()) return;
        machine.rung = machine.word;
        ++machine.rings;
        break;
    }
    open.push_back(machine);
  }

  void sleeper(Machine machine, std::vector<Machine>& open) const {
    switch (machine.sleeper_step) {
      case 0:  // drain the ring; when nothing is there, arm
        if (machine.seen == kPublishes) return;
        if (machine.tail != machine.seen) {
          machine.seen = machine.tail;
          break;
        }
        machine.own_word = variant_.new_number_each_arming ? machine.own_word + 1 : 1;
        machine.sleeper_buffer.push_back(machine.own_word);
        machine.sleeper_step = 1;
        break;
      case 1:  // fence
        if (variant_.sleeper_fence && !machine.sleeper_buffer.empty()) return;
        machine.sleeper_step = 2;
        break;
      case 2:  // look again
        machine.sleeper_step = variant_.second_look && machine.tail != machine.seen ? 5 : 3;
        break;
      case 3:  // where the eventfd must not be drained
        if (variant_.drain_before_sleep) machine.rings = 0;
        machine.sleeper_step = 4;
        break;
      case 4:  // sleep until rung, then drain
        if (machine.rings == 0) return;
        machine.rings = 0;
        machine.sleeper_step = 5;
        break;
      default:  // disarm
        machine.own_word = variant_.new_number_each_arming ? machine.own_word + 1 : 0;
        machine.sleeper_buffer.push_back(machine.own_word);
        machine.sleeper_step = 0;
        break;
    }
    open.push_back(machine);
  }

  Variant variant_;
  std::set<Machine> known_;
};

TEST(WakeModel, NoInterleavingLosesAWakeUp) {
  Walk walk{Variant{}};
  EXPECT_TRUE(walk.never_loses_a_wake_up());
  EXPECT_GT(walk.states(), 100u);
}

TEST(WakeModel, WithoutTheRingersFenceOneIsLost) {
  EXPECT_FALSE(Walk({.ringer_fence = false}).never_loses_a_wake_up());
}

TEST(WakeModel, WithoutTheSleepersFenceOneIsLost) {
  EXPECT_FALSE(Walk({.sleeper_fence = false}).never_loses_a_wake_up());
}

TEST(WakeModel, WithoutTheSecondLookOneIsLost) {
  EXPECT_FALSE(Walk({.second_look = false}).never_loses_a_wake_up());
}

TEST(WakeModel, DrainingBetweenArmingAndSleepLosesOne) {
  EXPECT_FALSE(Walk({.drain_before_sleep = true}).never_loses_a_wake_up());
}

TEST(WakeModel, RingingOncePerArmingNeedsArmingsThatCanBeToldApart) {
  EXPECT_FALSE(Walk({.new_number_each_arming = false}).never_loses_a_wake_up());
}

}  // namespace
}  // namespace pqd
