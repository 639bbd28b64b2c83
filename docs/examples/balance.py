"""Learn to balance a pole on a cart by trying.

An actor draws the push to the left or to the right, a critic says what reward is still to come; pushes that
bring more than the critic thought become likelier (Sutton and Barto, 2018, section 13.5). The cart is
gymnasium's CartPole-v1. Of PyTorch's program of this kind only the import differs.
"""

from __future__ import annotations

import argparse

import gymnasium

import dispatch_core as torch
from dispatch_core import nn
from dispatch_core.distributions import Categorical
from dispatch_core.nn import functional as F

DISCOUNT = 0.99


class ActorCritic(nn.Module):
    """From what is seen, (4), to scores of the two pushes (2) and the reward to come (1)."""

    def __init__(self, hidden: int = 128) -> None:
        super().__init__()
        self.seen = nn.Linear(4, hidden)
        self.actor = nn.Linear(hidden, 2)
        self.critic = nn.Linear(hidden, 1)

    def forward(self, state: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        x = F.relu(self.seen(state))
        return self.actor(x), self.critic(x)


def episode(model: ActorCritic, cart: gymnasium.Env, seed: int) -> tuple[list, list, list]:
    """One try: logarithms of the pushes' probabilities, what the critic said, and the rewards."""
    chances, values, rewards = [], [], []
    state, _ = cart.reset(seed=seed)
    ended = False
    while not ended:
        scores, value = model(torch.from_numpy(state))
        pushes = Categorical(logits=scores)
        push = pushes.sample()
        state, reward, fallen, late, _ = cart.step(push.item())
        chances.append(pushes.log_prob(push))
        values.append(value.squeeze())
        rewards.append(float(reward))
        ended = fallen or late
    return chances, values, rewards


def loss_of(chances: list, values: list, rewards: list) -> torch.Tensor:
    to_come, returns = 0.0, []
    for reward in reversed(rewards):
        to_come = reward + DISCOUNT * to_come
        returns.append(to_come)
    target = torch.tensor(returns[::-1])
    target = (target - target.mean()) / (target.std() + 1e-6)
    value = torch.stack(values)
    surprise = target - value.detach()
    return -(torch.stack(chances) * surprise).sum() + F.smooth_l1_loss(
        value, target, reduction="sum"
    )


def main(episodes: int, seed: int) -> None:
    torch.manual_seed(seed)
    cart = gymnasium.make("CartPole-v1")
    model = ActorCritic()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    lengths = []
    for number in range(1, episodes + 1):
        found = episode(model, cart, seed + number)
        optimizer.zero_grad()
        loss_of(*found).backward()
        optimizer.step()
        lengths.append(len(found[2]))
        if number % 20 == 0:
            print(f"tries {number - 19} to {number}: {sum(lengths[-20:]) / 20:.1f} steps each")
    cart.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--episodes", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    main(**vars(parser.parse_args()))
