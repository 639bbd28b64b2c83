"""Find out who joins which side when a club splits, from friendships and two known members.

A graph convolution mixes each member's features with the friends' (Kipf and Welling, 2017). The graph is
Zachary's karate club of 34 members, which ships inside networkx; only the instructor's side and the
president's are known, and a member's only feature is who it is. Of PyTorch's program of this kind only
the import differs.
"""

from __future__ import annotations

import argparse

import networkx as nx

import dispatch_core as torch
from dispatch_core import nn
from dispatch_core.nn import functional as F


class GraphConvolution(nn.Module):
    """Features (members, in) to (members, out), each the weighted mean of its own and its friends'."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.linear = nn.Linear(inputs, outputs)

    def forward(self, x: torch.Tensor, mixing: torch.Tensor) -> torch.Tensor:
        return mixing @ self.linear(x)


class Network(nn.Module):
    """Scores (members, 2) of the two sides."""

    def __init__(self, members: int, hidden: int = 16) -> None:
        super().__init__()
        self.first = GraphConvolution(members, hidden)
        self.second = GraphConvolution(hidden, 2)

    def forward(self, x: torch.Tensor, mixing: torch.Tensor) -> torch.Tensor:
        x = F.dropout(F.relu(self.first(x, mixing)), 0.5, self.training)
        return self.second(x, mixing)


def mixing_of(graph: nx.Graph) -> torch.Tensor:
    """D^-1/2 (A + I) D^-1/2 of the friendships A, D the number of friends and oneself."""
    friends = torch.eye(len(graph))
    pairs = torch.tensor(list(graph.edges)).T
    friends[pairs[0], pairs[1]] = friends[pairs[1], pairs[0]] = 1.0
    scale = friends.sum(dim=1).rsqrt()
    return scale[:, None] * friends * scale


def main(steps: int, seed: int) -> None:
    torch.manual_seed(seed)
    graph = nx.karate_club_graph()
    sides = torch.tensor([int(side == "Officer") for _, side in graph.nodes(data="club")])
    known = torch.tensor([0, 33])
    x, mixing = torch.eye(len(graph)), mixing_of(graph)
    model = Network(len(graph))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01, weight_decay=5e-4)
    for step in range(1, steps + 1):
        model.train()
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x, mixing)[known], sides[known])
        loss.backward()
        optimizer.step()
        if step % max(1, steps // 5) == 0:
            model.eval()
            with torch.no_grad():
                right = (model(x, mixing).argmax(dim=1) == sides).sum().item()
            print(f"step {step}: loss {loss.item():.3f}, {right} of {len(graph)} sides right")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    main(**vars(parser.parse_args()))
