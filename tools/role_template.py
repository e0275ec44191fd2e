"""Writes what the templates have of the table of permissions.

The spoke has parameter, condition and policy of each purpose; one that every estate needs has neither parameter nor
condition. The hub has one policy for the controller, which is limited to what the hub and the spokes are called.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ansible_collections.patchtide.hybrid.plugins.module_utils._aws.permissions import (
    DOCUMENTS,
    HISTORY_BUCKET,
    HISTORY_KEY,
    LIST_BUCKET,
    LIST_KEY,
    ROLE,
    TABLE,
    TOPIC,
    Purpose,
)
from running import ROOT
from template_parts import Call, remade

SPOKE, HUB = (ROOT / "templates" / f"{name}.template" for name in ("spoke", "hub"))
#: Parameters and resources of the templates in place of what users put into the examples.
_NAMES = {
    LIST_BUCKET: "${ListBucket}",
    LIST_KEY: "${ListKey}",
    ROLE: "${RolloutRoleName}",
    TABLE: "${Prefix}-*",
    TOPIC: "${Prefix}-notices*",
    HISTORY_BUCKET: "${History}",
    HISTORY_KEY: "${Key}",
}


def spoke(purposes: Sequence[Purpose]) -> str:
    """Return the template of the spoke with its made parts as they should be."""
    made: dict[str, Any] = {
        "parameters": {f"Allow{item.sid}": _parameter(item) for item in purposes if not item.always},
        "conditions": {
            f"Allow{item.sid}": Call(
                And=[Call(Condition="IsHome"), Call(Equals=[Call(Ref=f"Allow{item.sid}"), "true"])]
            )
            for item in purposes
            if not item.always
        },
        "policies": {item.sid: _policy(item) for item in purposes},
    }
    return remade(SPOKE.read_text("utf-8"), made)


def hub(purposes: Sequence[Purpose]) -> str:
    """Return the template of the hub with its made part as it should be. The hub itself makes the tables."""
    rows = [row for item in purposes if item.sid != "CreateLedgers" for row in _statements(item)]
    policy = {
        "Type": "AWS::IAM::ManagedPolicy",
        "Properties": {
            "Description": "What the controller needs in the account of the hub. Attach it to the controller's role.",
            "PolicyDocument": {"Version": "2012-10-17", "Statement": rows},
        },
    }
    return remade(HUB.read_text("utf-8"), {"controller": {"ControllerPolicy": policy}})


def _parameter(purpose: Purpose) -> dict[str, Any]:
    plain = purpose.needed.replace("`", "")
    return {
        "Type": "String",
        "Default": "false",
        "AllowedValues": ["true", "false"],
        "Description": f"Whether the role has the policy {purpose.sid}. Needed if: {plain}.",
    }


def _policy(purpose: Purpose) -> dict[str, Any]:
    """A policy of its own can have a condition; one within the role could not be left out."""
    return {
        "Type": "AWS::IAM::Policy",
        "Condition": "IsHome" if purpose.always else f"Allow{purpose.sid}",
        "Properties": {
            "PolicyName": purpose.sid,
            "Roles": [Call(Ref="RolloutRole")],
            "PolicyDocument": {"Version": "2012-10-17", "Statement": list(_statements(purpose))},
        },
    }


def _statements(purpose: Purpose) -> Iterator[dict[str, Any]]:
    rest = [action for action in purpose.actions if action not in purpose.per_node]
    if rest:
        yield {"Sid": purpose.sid, "Effect": "Allow", "Action": rest, "Resource": _resource(purpose.resource)}
    if "ssm:SendCommand" in purpose.per_node:
        # A condition on tags would refuse the documents, which have none.
        documents = [Call(Sub=f"arn:${{AWS::Partition}}:ssm:*::document/{name}") for name in DOCUMENTS]
        yield {"Sid": "SendDocuments", "Effect": "Allow", "Action": "ssm:SendCommand", "Resource": documents}
    if purpose.per_node:
        yield _on_nodes(purpose)


def _on_nodes(purpose: Purpose) -> dict[str, Any]:
    """Service authorization reference: EC2 reads aws:ResourceTag, SendCommand reads ssm:resourceTag of all nodes."""
    own = "arn:${AWS::Partition}:%s:*:${AWS::AccountId}:%s/*"
    nodes, key = [Call(Sub=own % ("ec2", "instance"))], "aws:ResourceTag/Patching"
    if "ssm:SendCommand" in purpose.per_node:
        nodes, key = [*nodes, Call(Sub=own % ("ssm", "managed-instance"))], "ssm:resourceTag/Patching"
    only = Call(If=["OnlyTaggedNodes", {"StringEquals": {key: Call(Ref="NodeTagValue")}}, Call(Ref="AWS::NoValue")])
    return {
        "Sid": f"{purpose.sid}OnNodes",
        "Effect": "Allow",
        "Action": list(purpose.per_node),
        "Resource": nodes,
        "Condition": only,
    }


def _resource(resource: str) -> Any:
    for name, known in _NAMES.items():
        if name in resource:
            return Call(Sub=resource.replace(name, known).replace("arn:aws:", "arn:${AWS::Partition}:"))
    return resource
