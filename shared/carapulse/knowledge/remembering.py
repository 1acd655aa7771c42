"""What can be asked of memory. One function is one thing that can be asked for."""

from carapulse.kernel.call import Call
from carapulse.kernel.cursor import Page
from carapulse.kernel.patch import MergePatch, is_same, patched
from carapulse.kernel.precondition import WHICHEVER, Match
from carapulse.knowledge.events import MemoryChanged, MemoryForgotten, MemoryKept
from carapulse.knowledge.memories import Memory, MemoryContent, MemorySummary
from carapulse.knowledge.ports import KnowledgePorts, MemoryFilter


def keep_memory(content: MemoryContent, call: Call, ports: KnowledgePorts) -> Memory:
    """Write down what should be remembered; it belongs to the caller."""
    memory = Memory.of(content, call)
    with ports.begin(call) as work:
        work.memories.add(memory)
        work.record(memory.id, MemoryKept.of(memory))
    return memory


def list_memories(wanted: MemoryFilter, call: Call, ports: KnowledgePorts) -> Page[MemorySummary]:
    """Return memories, the newest first."""
    with ports.begin(call) as work:
        return work.memories.page(wanted)


def get_memory(memory_id: str, call: Call, ports: KnowledgePorts) -> Memory:
    """Return a memory."""
    with ports.begin(call) as work:
        return work.memories.get(memory_id)


def change_memory(
    memory_id: str, patch: MergePatch, call: Call, ports: KnowledgePorts, seen: Match = WHICHEVER
) -> Memory:
    """Change what is remembered, if the caller may; a patch that changes nothing leaves no trace."""
    with ports.begin(call) as work:
        memory = work.memories.lock(memory_id)
        memory.check_owner(call.actor)
        seen.check(memory)
        content = patched(memory.content, patch)
        if is_same(content, memory.content):
            return memory
        changed = memory.changed(content, call)
        work.memories.replace(changed)
        work.record(memory.id, MemoryChanged.of(changed))
    return changed


def forget_memory(memory_id: str, call: Call, ports: KnowledgePorts, seen: Match = WHICHEVER) -> None:
    """Delete a memory, if the caller may."""
    with ports.begin(call) as work:
        memory = work.memories.lock(memory_id)
        memory.check_owner(call.actor)
        seen.check(memory)
        work.memories.delete(memory.id)
        work.record(memory.id, MemoryForgotten.of(memory))
